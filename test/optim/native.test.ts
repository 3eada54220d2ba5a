import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import { Adam, type Item, SGD, setExecutor, sgd } from '@tfjs-torch/optim';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from '../../packages/node/src/native';
import { trace } from '../../packages/optim/src/rule/rule';
import { expectSameBits, withExecutor } from './executors';

const onTensorflow = process.env.TFJS_TORCH_BACKEND === 'tensorflow';
afterEach(() => setExecutor(null));

test.skipIf(onTensorflow)('it is for tfjs-node alone', () => {
  const reason = `it is for the backend 'tensorflow', and tfjs runs '${tf.getBackend()}'`;
  expect(() => setExecutor('native')).toThrowError(`The executor 'native' cannot run: ${reason}`);
});

const noise = (size: number, seed: number) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 12.9898 * i) * 3);

describe.runIf(onTensorflow)('the values', () => {
  /** The parameters and first moments after three steps. */
  function trained(executor: 'ops' | 'native', sizes: readonly number[], scale = 1): Float32Array[] {
    return withExecutor(executor, () => {
      const values = (size: number, seed: number) => tf.tensor(noise(size, seed).map((x) => x * scale));
      const params = sizes.map((size, i) => new Parameter(values(size, i)));
      using optimizer = new Adam(params, { lr: scale, eps: 0 });
      for (let step = 0; step < 3; step++) {
        params.forEach((p, i) => {
          p.grad = values(p.size, 10 * step + i + 0.5) as typeof p.grad;
        });
        optimizer.step();
        expect(optimizer.executor.name).toBe(executor);
      }
      return params.flatMap((p) => [p, optimizer.state.get(p)!.exp_avg as tf.Tensor]).map((t) => t.dataSync().slice());
    }) as Float32Array[];
  }

  test.each([
    ['of one thread', [0, 1, 7, 8, 9, 65], 1],
    ['of several threads, whose parts do not end with a vector', [200_003, 5, 99_153], 1],
    ['of tensors that no cache holds, whose new values are written past it', [1_700_019, 16, 5], 1],
    ['of denormals, which tfjs-node flushes', [40], 1e-38],
  ] as const)('%s', (_, sizes, scale) => {
    const expected = trained('ops', sizes, scale);
    trained('native', sizes, scale).forEach((values, i) => {
      expectSameBits(values, expected[i]!, `tensor ${i}`);
    });
  });
});

describe.runIf(onTensorflow)('what cannot be updated is an error that changes nothing', () => {
  const h = { ...sgd.defaults, momentum: 0.9 };
  const scalars = sgd.scalars(h, 1, false, {}, {});
  const traced = trace(sgd, h, scalars);
  const tensors = (): Record<string, tf.Tensor> => ({
    param: tf.tensor([1, 2]),
    grad: tf.tensor([1, 1]),
    momentum_buffer: tf.tensor([0, 0]),
  });
  const itemOf = ({ param, grad, momentum_buffer }: Record<string, tf.Tensor>) =>
    ({ param, grad, slots: { momentum_buffer } }) as Item;

  const disposed = tf.tidy(() => {
    const t = tf.tensor([1, 1]);
    t.dispose();
    return t;
  });
  test.each([
    ['a gradient of another size', 'grad', () => tf.tensor([1, 2, 3]), "'grad' has shape [3], its parameter another"],
    ['state of another size', 'momentum_buffer', () => tf.tensor([1]), "'momentum_buffer' has shape [1]"],
    ['a gradient of another dtype', 'grad', () => tf.tensor([1, 1], [2], 'int32'), 'Invalid TF_Status: 3'],
    ['a parameter of another dtype', 'param', () => tf.tensor([1, 1], [2], 'int32'), 'Invalid TF_Status: 3'],
    ['a disposed gradient', 'grad', () => disposed, 'is disposed'],
  ] as const)('%s', (_, name, wrong, message) => {
    const good = tensors();
    const bad = { ...tensors(), [name]: wrong() };
    const jobs = [{ traced, scalars, items: [itemOf(good), itemOf(bad)] }];
    expect(() => native.run(jobs)).toThrowError(message);
    expect(Array.from(good.param!.dataSync())).toEqual([1, 2]);
    expect(Array.from(good.momentum_buffer!.dataSync())).toEqual([0, 0]);
    native.run([{ traced, scalars, items: [itemOf(good)] }]);
    expect(Array.from(good.param!.dataSync())).not.toEqual([1, 2]);
  });
});

describe.runIf(onTensorflow)('a process that', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfjs-torch');
  const folder = `native-${process.platform}-${process.arch}`;
  const script = `
    import * as tf from '@tensorflow/tfjs-core';
    import { initBackend } from '@tfjs-torch/node';
    import { SGD } from '@tfjs-torch/optim';
    await initBackend({ backend: 'tensorflow', quiet: true });
    const p = tf.variable(tf.ones([300_000]));
    const optimizer = new SGD([p], 0.5);
    const names = [String(optimizer.executor)];
    for (let i = 0; i < 2; i++) {
      p.grad = tf.ones([300_000]);
      optimizer.step();
      names.push(String(optimizer.executor));
    }
    console.log(JSON.stringify({ names, value: p.dataSync()[299_999] }));`;

  const run = (program: string, env: Record<string, string>) =>
    spawnSync(
      process.execPath,
      ['--conditions=tfjs-torch-source', '--import', 'tsx', '--input-type=module', '-e', program],
      { cwd: join(root, 'test'), encoding: 'utf8', env: { ...process.env, ...env } },
    );
  const setUp = `
    import { setUpTensorflow } from '@tfjs-torch/node';
    await setUpTensorflow({ say: console.log });`;

  /** What a process of its own says, with the cache that `prepare` leaves and these variables. */
  function inProcess(prepare: (native: string, base: string) => void, env: Record<string, string>) {
    const base = mkdtempSync(join(tmpdir(), 'tfjs-torch-native-'));
    try {
      mkdirSync(join(base, 'tfjs-torch', folder), { recursive: true });
      for (const name of readdirSync(cache).filter((entry) => /^tfjs-node-.*\d$/.test(entry))) {
        symlinkSync(join(cache, name), join(base, 'tfjs-torch', name));
      }
      prepare(join(base, 'tfjs-torch', folder), base);
      const { status, stdout, stderr } = run(script, { XDG_CACHE_HOME: base, ...env });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      return JSON.parse(stdout) as { names: string[]; value: number };
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  }
  const addons = () => {
    new SGD([new Parameter(tf.tensor([1]))], 0.1).executor;
    return readdirSync(join(cache, folder)).filter((name) => name.startsWith('update-'));
  };
  const damage = (native: string) => {
    for (const name of addons()) writeFileSync(join(native, name), 'not a library');
  };
  const noCompiler = { CXX: '', PATH: '' };
  const why = 'it cannot be compiled: there is no C++ compiler (c++, g++, clang++)';
  const updated = { value: 0 };

  test('has no compiler runs ops, and says why', () => {
    const { names, ...rest } = inProcess((_, base) => {
      const { stdout } = run(setUp, { XDG_CACHE_HOME: base, ...noCompiler });
      expect(stdout).toBe(`No native executor of optimizers: ${why}\n`);
    }, noCompiler);
    expect(new Set(names)).toEqual(new Set([expect.stringContaining(`native: ${why}`)]));
    expect(names[0]).toMatch(/^ops \(no fused executor can run/);
    expect(rest).toEqual(updated);
  });
  test('cannot write its cache runs ops, and says why', () => {
    const { names, ...rest } = inProcess((native) => {
      rmSync(native, { recursive: true });
      writeFileSync(native, '');
    }, {});
    expect(new Set(names)).toEqual(new Set([expect.stringContaining('native: it cannot be compiled: EEXIST')]));
    expect(rest).toEqual(updated);
  });
  test('cannot make a damaged library anew says both', () => {
    const { names, ...rest } = inProcess(damage, noCompiler);
    expect(new Set(names)).toEqual(new Set([expect.stringContaining(`too short; ${why}`)]));
    expect(rest).toEqual(updated);
  });
  test('has what a set-up has built, and cannot compile a rule, runs ops from then on', () => {
    const { names, ...rest } = inProcess((native, base) => {
      const { status, stdout } = run(setUp, { XDG_CACHE_HOME: base });
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
      expect(readdirSync(native)).toEqual([expect.stringMatching(/^update-\w+\.node$/)]);
    }, noCompiler);
    expect(names[0]).toMatch(/^native \(/);
    expect(names.slice(1)).toEqual(Array(2).fill(expect.stringContaining(`native: ${why}`)));
    expect(rest).toEqual(updated);
  });
  test('finds a damaged library builds it anew, and ends while its threads wait', () => {
    const { names, ...rest } = inProcess(damage, {});
    expect(names).toEqual(Array(3).fill(expect.stringMatching(/^native \(/)));
    expect(rest).toEqual(updated);
  });
});
