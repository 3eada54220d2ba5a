import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fillCache, readCache } from './cache';

// No tensors in it: once is enough.
describe.runIf(process.env.TFJS_TORCH_BACKEND === 'cpu')('the cache of the native binding', () => {
  let base: string;
  let folder: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'tfjs-torch-cache-'));
    folder = join(base, 'binding');
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const build = async (staging: string) => {
    await setTimeout(50);
    writeFileSync(join(staging, 'library'), '0123456789');
    return 'a test';
  };
  const manifest = { source: 'a test', files: { library: 10 } };
  const nobodyWaits = () => expect.fail('nobody else fills it');

  /** A process that fills the folder with what the body of an async `build(staging)` says. */
  const fillElsewhere = (body: string) => {
    const script = `
      const { appendFileSync, writeFileSync } = await import('node:fs');
      const { fillCache } = await import(${JSON.stringify(fileURLToPath(new URL('cache.ts', import.meta.url)))});
      await fillCache(${JSON.stringify(folder)}, async (staging) => { ${body} }, () => {});`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: 'ignore',
    });
    return new Promise<NodeJS.Signals | number | null>((resolve) => {
      child.on('close', (code, signal) => resolve(signal ?? code));
    });
  };

  test('is filled once, then read', async () => {
    expect(readCache(folder)).toBeNull();
    expect(await fillCache(folder, build, nobodyWaits)).toEqual(manifest);
    expect(readCache(folder)).toEqual(manifest);
    const again = vi.fn(build);
    expect(await fillCache(folder, again, nobodyWaits)).toEqual(manifest);
    expect(again).not.toHaveBeenCalled();
    expect(readdirSync(base)).toEqual(['binding']);
  });

  test('is filled by one of several at a time', async () => {
    const builder = vi.fn(build);
    const wait = vi.fn();
    const filled = await Promise.all([1, 2, 3].map(() => fillCache(folder, builder, wait)));
    expect(filled).toEqual([manifest, manifest, manifest]);
    expect(builder).toHaveBeenCalledTimes(1);
    expect(wait).toHaveBeenCalledTimes(2);
  });

  test('is filled by one of two processes', async () => {
    const log = JSON.stringify(join(base, 'log'));
    const body = `
      appendFileSync(${log}, 'built\\n');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      writeFileSync(staging + '/library', '0123456789');
      return 'a test';`;
    expect(await Promise.all([fillElsewhere(body), fillElsewhere(body)])).toEqual([0, 0]);
    expect(readFileSync(join(base, 'log'), 'utf8')).toBe('built\n');
    expect(readCache(folder)).toEqual(manifest);
  });

  test('knows nothing of a build that was killed, and the next one cleans up', async () => {
    const killed = await fillElsewhere(
      `writeFileSync(staging + '/library', '01'); process.kill(process.pid, 'SIGKILL');`,
    );
    expect(killed).toBe('SIGKILL');
    expect(readdirSync(base)).toHaveLength(2); // the lock and the staging folder
    expect(readCache(folder)).toBeNull();
    expect(await fillCache(folder, build, nobodyWaits)).toEqual(manifest);
    expect(readdirSync(base)).toEqual(['binding']);
  });

  test('is left as it was by a build that fails', async () => {
    const failing = async (staging: string) => {
      writeFileSync(join(staging, 'library'), '01');
      throw new Error('no space left');
    };
    await expect(fillCache(folder, failing, nobodyWaits)).rejects.toThrow('no space left');
    expect(readdirSync(base)).toEqual([]);
  });

  test.each([
    ['a truncated file', () => writeFileSync(join(folder, 'library'), '012'), 'library has 3 bytes instead of 10'],
    ['a missing file', () => rmSync(join(folder, 'library')), 'library is missing'],
    ['a missing manifest', () => rmSync(join(folder, 'manifest.json')), 'manifest.json cannot be read'],
    [
      'a truncated manifest',
      () => writeFileSync(join(folder, 'manifest.json'), '{"sou'),
      'manifest.json cannot be read',
    ],
    ['a foreign manifest', () => writeFileSync(join(folder, 'manifest.json'), '{}'), 'manifest.json cannot be read'],
  ])('says what is damaged: %s', async (_name, spoil, damage) => {
    await fillCache(folder, build, nobodyWaits);
    spoil();
    expect(readCache(folder)).toEqual({ damage });
    expect(await fillCache(folder, build, nobodyWaits)).toEqual(manifest);
    expect(existsSync(join(dirname(folder), 'binding.lock'))).toBe(false);
  });
});
