import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core';
import { initBackend } from '@tfjs-torch/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const current = process.env.TFJS_TORCH_BACKEND!;

test('what was asked for is reported with the reason', async () => {
  const asked = await initBackend({ backend: current });
  expect(asked).toMatchObject({ backend: current, why: 'asked for by the caller' });
  expect(asked.found[0]).toMatchObject({ backend: current, available: true });
  expect(await initBackend()).toMatchObject({ backend: current, why: 'asked for by TFJS_TORCH_BACKEND' });
  expect(tf.getBackend()).toBe(current);
});

test('a name that is no backend', async () => {
  const message = "Unknown backend 'webgl': expected one of tensorflow-gpu, tensorflow, wasm, cpu";
  await expect(initBackend({ backend: 'webgl' })).rejects.toThrow(new ValueError(message));
});

test('a backend that is not installed', async () => {
  const message =
    "Backend 'tensorflow-gpu' cannot be used: @tensorflow/tfjs-node-gpu is not installed. " +
    'Run `npm install @tensorflow/tfjs-node-gpu` on a machine with CUDA.';
  await expect(initBackend({ backend: 'tensorflow-gpu' })).rejects.toThrow(new RuntimeError(message));
});

test('there is one engine and one Tensor class', () => {
  const require = createRequire(join(root, 'packages', 'node', 'package.json'));
  const copies: Array<typeof tf> = [require('@tensorflow/tfjs-core')];
  if (current === 'tensorflow') copies.push(require('@tensorflow/tfjs-node'));
  for (const copy of copies) {
    expect(copy.engine()).toBe(tf.engine());
    expect(copy.Tensor).toBe(tf.Tensor);
    expect(copy.Variable).toBe(tf.Variable);
  }
});

// What follows runs the program in processes of its own.
describe.runIf(current === 'cpu')('the program tfjs-torch', () => {
  let base: string;
  let path: string; // an empty PATH, in which tests put programs
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'tfjs-torch-node-'));
    path = join(base, 'bin');
    mkdirSync(path);
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const command = `const { main } = await import(${JSON.stringify(join(root, 'packages', 'node', 'src', 'cli.ts'))});
    process.exitCode = await main(process.argv.slice(1));`;
  function tfjsTorch(args: string[], env: NodeJS.ProcessEnv = {}) {
    const flags = ['--import', 'tsx', '--conditions=tfjs-torch-source', '--input-type=module'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', command, '--', ...args], {
      cwd: root,
      encoding: 'utf8',
      // A cache of its own, and no download: nothing listens on port 9.
      env: {
        ...process.env,
        TFJS_TORCH_BACKEND: '',
        XDG_CACHE_HOME: base,
        TFJS_NODE_CDN_STORAGE: 'http://127.0.0.1:9/',
        CXX: '',
        ...env,
      },
    });
    return { status, stdout, stderr };
  }

  function program(name: string, script: string) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }

  test('says how it is used', () => {
    const help = tfjsTorch(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toContain('tfjs-torch backend --setup');
    for (const wrong of [['backends'], ['backend', '--fast']]) {
      const { status, stderr, stdout } = tfjsTorch(wrong);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(wrong.at(-1));
    }
  });

  test('takes wasm where there is no binding, and says why and what to do', () => {
    const { status, stdout, stderr } = tfjsTorch(['backend']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('- tensorflow     the native binding of tfjs-node is not built');
    expect(stdout).toContain('Run `npx tfjs-torch backend --setup` for the fast backend.');
    expect(stdout).toMatch(/chosen\n {2}wasm: the fastest that can be used: not tensorflow-gpu .*, not tensorflow \(/);
  });

  test.each([
    ['by an option', ['--backend', 'tensorflow'], {}],
    ['by the environment', [], { TFJS_TORCH_BACKEND: 'tensorflow' }],
  ])('fails where tensorflow is asked for %s and is not there', (_name, args, env) => {
    const { status, stdout, stderr } = tfjsTorch(['backend', ...args], env);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      "tfjs-torch: Backend 'tensorflow' cannot be used: the native binding of tfjs-node is not built. " +
        'Run `npx tfjs-torch backend --setup` for the fast backend.\n',
    );
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
  ])('says why it cannot build: %s', (_name, arrange, reason) => {
    arrange();
    const setup = tfjsTorch(['backend', '--setup'], { PATH: path });
    expect(setup.status).toBe(1);
    expect(setup.stderr).toContain('Trying the official download');
    expect(setup.stderr).toMatch(/No binding from the official download: .*ECONNREFUSED/);
    expect(setup.stderr).toContain(`No binding from the tensorflow-cpu 2.15.1 wheel: ${reason}\n`);
    expect(setup.stdout).toMatch(/chosen\n {2}wasm/);
    // Nothing is left but the reason, which the next report gives.
    expect(readdirSync(join(base, 'tfjs-torch'))).toEqual([expect.stringMatching(/\.failed\.json$/)]);
    const report = tfjsTorch(['backend']);
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
  ])('does without a cached binding that is damaged: %s', (_name, size, reason) => {
    const folder = cacheFolder();
    writeFileSync(join(folder, binding), 'ELF?');
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ source: 'a test', files: { [binding]: size } }));
    const report = tfjsTorch(['backend']);
    expect(report.status).toBe(0);
    expect(report.stdout).toMatch(reason);
    expect(report.stdout).toMatch(/chosen\n {2}wasm/);
    // A set-up does not take it for good either.
    const setup = tfjsTorch(['backend', '--setup'], { PATH: path });
    expect(setup.status).toBe(1);
    expect(setup.stderr).toMatch(/The cached binding (is damaged|does not load)/);
  });

  test('finds the packages of the program that runs', () => {
    const script = `const { initBackend } = await import('@tfjs-torch/node');
      const { found } = await initBackend({ quiet: true });
      console.log(JSON.stringify(found[0]));`;
    const gpu = join(base, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
    mkdirSync(gpu, { recursive: true });
    writeFileSync(join(gpu, 'package.json'), JSON.stringify({ name: '@tensorflow/tfjs-node-gpu', version: '4.22.0' }));
    const loader = createRequire(join(root, 'package.json')).resolve('tsx');
    const url = join(root, 'packages', 'node', 'src', 'index.ts');
    const run = spawnSync(
      process.execPath,
      [
        '--import',
        loader,
        '--conditions=tfjs-torch-source',
        '--input-type=module',
        '-e',
        script.replace('@tfjs-torch/node', url),
      ],
      { cwd: base, encoding: 'utf8', env: { ...process.env, TFJS_TORCH_BACKEND: '', XDG_CACHE_HOME: base } },
    );
    expect(JSON.parse(run.stdout)).toMatchObject({ backend: 'tensorflow-gpu', available: false });
    expect(run.stdout).not.toContain('is not installed');
  });
});
