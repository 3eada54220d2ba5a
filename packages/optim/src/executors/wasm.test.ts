import * as tf from '@tensorflow/tfjs-core';
import { internal, Parameter } from '@tfjs-torch/core';
import { describe, expect, test, vi } from 'vitest';
import { Adam, adam } from '../optimizers/adam';
import { rprop } from '../optimizers/rprop';
import { type AnyRule, type Trace, trace } from '../rule/rule';
import { interpreted } from './cpu';
import { wasm } from './wasm';
import { assemble, operands } from './wasm-module';

function traceOf<H extends object>(rule: AnyRule<H>, h: H): [Trace, Record<string, number>] {
  const scalars = rule.scalars(h, 1, true, {}, {});
  return [trace(rule, h, scalars), scalars];
}

describe.each([
  ['a memory of its own', false],
  ['a memory that threads share', true],
])('a module for %s', (_, shared) => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 4, shared });
  test.each([
    ['Adam', ...traceOf(adam, { ...adam.defaults, amsgrad: true })],
    ['Rprop', ...traceOf(rprop, rprop.defaults)],
  ])('%s: a call updates tensors of all sizes, and nothing beside them', (_, traced, scalars) => {
    const module = new WebAssembly.Module(assemble(traced, shared));
    const kernel = new WebAssembly.Instance(module, { m: { m: memory } }).exports.f as (...args: number[]) => void;
    const { inputs, outputs } = operands(traced);
    const all = [...inputs, ...outputs];
    const wanted = new Float32Array(memory.buffer.byteLength / 4).fill(0.5);
    const start = 4 * 1024;
    const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 33];
    let next = start;
    const table = sizes.map((size) => {
      const addresses = all.map(() => {
        const address = next;
        next += 4 * size + 4; // a gap of one value, so that most do not begin at a multiple of 16 bytes
        return address;
      });
      const arrays = addresses.map((address) => wanted.subarray(address / 4, address / 4 + size));
      inputs.forEach((name, k) => {
        arrays[k]!.set(Float32Array.from({ length: size }, (_, i) => Math.sin(i + k) ** (name === 'grad' ? 1 : 2)));
      });
      return { size, addresses, arrays };
    });
    const floats = new Float32Array(memory.buffer);
    floats.set(wanted);
    const rows = table.flatMap(({ size, addresses }) => [4 * size, ...addresses]);
    new Uint32Array(memory.buffer).set(rows);
    kernel(0, 4 * rows.length, ...traced.scalars.map((name) => scalars[name]!));
    for (const { arrays } of table) {
      interpreted(traced)(scalars, arrays.slice(0, inputs.length), arrays.slice(inputs.length));
    }
    expect(new Uint32Array(memory.buffer).subarray(start / 4)).toEqual(
      new Uint32Array(wanted.buffer).subarray(start / 4),
    );
  });
});

describe.runIf(process.env.TFJS_TORCH_BACKEND === 'wasm')('on tfjs-backend-wasm', () => {
  const backend = () => tf.backend() as unknown as { wasm: { asm: object } };

  test('where it cannot run it says why', () => {
    const { asm } = backend().wasm;
    backend().wasm.asm = {};
    expect(wasm.unavailable()).toBe('this build of tfjs-backend-wasm hides its memory');
    backend().wasm.asm = asm;
    const refused = vi.spyOn(WebAssembly, 'Module').mockImplementation(function refuse() {
      throw new WebAssembly.CompileError('unsafe-eval is not allowed');
    });
    expect(wasm.unavailable()).toBe('WebAssembly cannot compile its kernels here: unsafe-eval is not allowed');
    refused.mockRestore();
    expect(wasm.unavailable()).toBe(null);
  });

  const ones = (...shape: number[]) => tf.ones(shape);
  test.each<[string, number[], (p: tf.Tensor) => tf.Tensor]>([
    ['matMul', [4, 4], (p) => tf.matMul(ones(4, 4) as tf.Tensor2D, p as tf.Tensor2D)],
    [
      'a bias',
      [3],
      (bias) =>
        tf.fused.conv2d({
          x: ones(1, 4, 4, 1) as tf.Tensor4D,
          filter: ones(2, 2, 1, 3) as tf.Tensor4D,
          bias,
          strides: 1,
          pad: 'same',
        }),
    ],
    ['conv2d', [2, 2, 1, 3], (p) => tf.conv2d(ones(1, 4, 4, 1) as tf.Tensor4D, p as tf.Tensor4D, 1, 'same')],
    [
      'depthwiseConv2d',
      [2, 2, 1, 1],
      (p) => tf.depthwiseConv2d(ones(1, 4, 4, 1) as tf.Tensor4D, p as tf.Tensor4D, 1, 'same'),
    ],
    ['prelu', [4], (p) => tf.prelu(tf.neg(ones(4, 4)), p)],
  ])('weights that the backend packed are packed again: %s', (_, shape, forward) => {
    const p = new Parameter(tf.fill(shape, 2));
    const optimizer = new Adam([p], { lr: 1 });
    // Without a graph: that would hold the weights, and they would be left alone.
    const values = (weights: tf.Tensor) => internal.withGrad(false, () => forward(weights).dataSync());
    for (let step = 1; step <= 3; step++) {
      p.grad = tf.onesLike(p) as unknown as typeof p.grad;
      const before = values(p);
      const { dataId } = p;
      optimizer.step();
      expect(p.dataId === dataId, 'in place').toBe(step > 1);
      const after = values(p);
      expect(after).not.toEqual(before);
      expect(after).toEqual(values(tf.tensor(p.dataSync(), shape)));
    }
  });

  test('goes on where the memory grows', () => {
    const params = [true, false].map((fused) => {
      const p = new Parameter(tf.fill([5], 2));
      const optimizer = new Adam([p], { lr: 1, fused: fused ? null : false });
      const step = () => {
        p.grad = tf.onesLike(p) as unknown as typeof p.grad;
        optimizer.step();
      };
      step();
      const { buffer } = (backend().wasm.asm as { memory: WebAssembly.Memory }).memory;
      const filling: tf.Tensor[] = [];
      while (fused && buffer.byteLength > 0) filling.push(tf.zeros([2 ** 22]));
      step();
      tf.dispose(filling);
      return p.dataSync();
    });
    expect(params[0]).toEqual(params[1]);
  });
});
