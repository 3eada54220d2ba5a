import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { initBackend } from './backends';
import { main } from './cli';

// It changes the backend, so it is run on one.
describe.runIf(process.env.TFJS_TORCH_BACKEND === 'cpu')('the program tfjs-torch', () => {
  let base: string;
  let path: string; // an empty PATH, in which tests put programs
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'tfjs-torch-node-'));
    path = join(base, 'bin');
    mkdirSync(path);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(base, { recursive: true, force: true });
    await initBackend({ backend: 'cpu' });
  });

  async function tfjsTorch(args: string[], env: Record<string, string> = {}) {
    const printed = (stream: NodeJS.WriteStream) => {
      const write = vi.spyOn(stream, 'write').mockReturnValue(true);
      return () => write.mock.calls.map(([chunk]) => chunk).join('');
    };
    // A cache of its own, and no download: nothing listens on port 9.
    const isolated = { XDG_CACHE_HOME: base, TFJS_NODE_CDN_STORAGE: 'http://127.0.0.1:9/', CXX: '' };
    for (const [name, value] of Object.entries({ TFJS_TORCH_BACKEND: '', ...isolated, ...env }))
      vi.stubEnv(name, value);
    const stdout = printed(process.stdout);
    const stderr = printed(process.stderr);
    const result = { status: await main(args), stdout: stdout(), stderr: stderr() };
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    return result;
  }

  function program(name: string, script: string) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }

  test('says how it is used', async () => {
    for (const args of [[], ['--help'], ['backend', '--help']]) {
      const { status, stdout, stderr } = await tfjsTorch(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('tfjs-torch backend --setup');
    }
    for (const wrong of [['backends'], ['backend', '--fast'], ['backend', '--backend']]) {
      const { status, stdout, stderr } = await tfjsTorch(wrong);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(`'${wrong.at(-1)}'`);
    }
  });

  test('takes wasm where there is no binding, and says why and what to do', async () => {
    const { status, stdout, stderr } = await tfjsTorch(['backend']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('- tensorflow     the native binding of tfjs-node is not built');
    expect(stdout).toContain('Run `npx tfjs-torch backend --setup` for the fast backend.');
    expect(stdout).toMatch(/chosen\n {2}wasm: the fastest that can be used: not tensorflow-gpu .*, not tensorflow \(/);
  });

  test('a program that asks for no backend is told that it does not get the fast one, in a line', async () => {
    vi.stubEnv('XDG_CACHE_HOME', base);
    vi.stubEnv('TFJS_TORCH_BACKEND', '');
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await initBackend()).toMatchObject({ backend: 'wasm' });
    expect(stderr.mock.calls).toEqual([
      [
        'tfjs-torch: using wasm, because the native binding of tfjs-node is not built. ' +
          'Run `npx tfjs-torch backend --setup` for the fast backend.\n',
      ],
    ]);
    stderr.mockClear();
    await initBackend({ quiet: true });
    expect(stderr).not.toHaveBeenCalled();
  });

  test.each([
    ['by an option', ['--backend', 'tensorflow'], {}],
    ['by the environment', [], { TFJS_TORCH_BACKEND: 'tensorflow' }],
  ])('fails where tensorflow is asked for %s and is not there', async (_name, args, env) => {
    const { status, stdout, stderr } = await tfjsTorch(['backend', ...args], env);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      "tfjs-torch: Backend 'tensorflow' cannot be used: the native binding of tfjs-node is not built. " +
        'Run `npx tfjs-torch backend --setup` for the fast backend.\n',
    );
  });

  test("finds a package of the program's own", async () => {
    const gpu = join(base, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
    mkdirSync(gpu, { recursive: true });
    writeFileSync(join(gpu, 'package.json'), '{ "name": "@tensorflow/tfjs-node-gpu", "version": "4.22.0" }');
    vi.spyOn(process, 'cwd').mockReturnValue(base);
    vi.stubEnv('TFJS_TORCH_BACKEND', '');
    const { found } = await initBackend({ quiet: true });
    expect(found[0]).toMatchObject({ backend: 'tensorflow-gpu', available: false });
    expect(found[0]?.detail).not.toContain('is not installed'); // it is, but without its dependencies
  });

  const compiler = () => program('c++', 'exit 0');
  const python = (download: string) =>
    program('python3', `case "$3" in --version) exit 0;; download) ${download};; esac`);

  test.each([
    ['no compiler', () => {}, 'there is no C++ compiler (c++, g++, clang++)'],
    ['no Python', compiler, 'there is no Python 3 with pip'],
    [
      'no pip',
      () => {
        compiler();
        program('python3', 'echo "No module named pip" >&2; exit 1');
      },
      'there is no Python 3 with pip',
    ],
    [
      'no wheel',
      () => {
        compiler();
        python('echo "ERROR: No matching distribution found for tensorflow-cpu==2.15.1" >&2; exit 1');
      },
      'ERROR: No matching distribution found for tensorflow-cpu==2.15.1',
    ],
    [
      'another wheel than the published one',
      () => {
        compiler();
        // $@ without the last is `--dest FOLDER`: the shell finds the folder.
        python('while [ "$1" != --dest ]; do shift; done; echo foreign > "$2/tensorflow_cpu.whl"');
      },
      'tensorflow_cpu.whl is not the wheel that was published (sha256)',
    ],
  ])('says why it cannot build: %s', async (_name, arrange, reason) => {
    arrange();
    const setup = await tfjsTorch(['backend', '--setup'], { PATH: path });
    expect(setup.status).toBe(1);
    expect(setup.stderr).toContain('Trying the official download');
    expect(setup.stderr).toMatch(/No binding from the official download: .*ECONNREFUSED/);
    expect(setup.stderr).toContain(`No binding from the tensorflow-cpu 2.15.1 wheel: ${reason}\n`);
    expect(setup.stdout).toMatch(/chosen\n {2}wasm/);
    // Nothing is left but the reason, which the next report gives.
    expect(readdirSync(join(base, 'tfjs-torch'))).toEqual([expect.stringMatching(/\.failed\.json$/)]);
    const report = await tfjsTorch(['backend']);
    expect(report.status).toBe(0);
    expect(report.stdout).toContain(reason);
  });

  const cacheFolder = () => {
    const folder = join(base, 'tfjs-torch', `tfjs-node-4.22.0-${process.platform}-${process.arch}-napi8`);
    mkdirSync(join(folder, 'lib', 'napi-v8'), { recursive: true });
    return folder;
  };
  const binding = join('lib', 'napi-v8', 'tfjs_binding.node');

  test.each([
    ['truncated', 1000, /the cached binding in .* is damaged: .*tfjs_binding\.node has 4 bytes instead of 1000/],
    ['no library', 4, /tfjs_binding\.node does not load: /],
  ])('does without a cached binding that is damaged: %s', async (_name, size, reason) => {
    const folder = cacheFolder();
    writeFileSync(join(folder, binding), 'ELF?');
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ source: 'a test', files: { [binding]: size } }));
    const report = await tfjsTorch(['backend']);
    expect(report.status).toBe(0);
    expect(report.stdout).toMatch(reason);
    expect(report.stdout).toMatch(/chosen\n {2}wasm/);
    // A set-up does not take it for good either.
    const setup = await tfjsTorch(['backend', '--setup'], { PATH: path });
    expect(setup.status).toBe(1);
    expect(setup.stderr).toMatch(/The cached binding (is damaged|does not load)/);
  });
});
