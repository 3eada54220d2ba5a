import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import { Adam } from '@tfjs-torch/optim';
import { expect, test } from 'vitest';
import { executors, expectSameBits, needs, withExecutor } from './executors';
import { golden, optimizers } from './golden';

// Several of one kind, a number, a large one, an empty one, one of a kind of its own.
const shapes = [[4, 3], [5], [2, 3], [], [130, 130], [1], [0, 3], [7], [2, 2, 2], [1, 3], []];
const values = (shape: number[], seed: number) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(seed * 7.3 + i * 1.7)),
    shape,
  );
const make = () => shapes.map((shape, i) => new Parameter(values(shape, i)));

/** Three steps; in the second, some have no gradient, so that the counts of steps differ afterwards. */
function train(params: Parameter[], step: () => void) {
  for (let k = 0; k < 3; k++) {
    params.forEach((p, i) => {
      const grad = values(shapes[i]!, 31 * (k + 1) + i);
      p.grad = (k === 1 && i % 3 === 1 ? null : grad) as unknown as typeof p.grad;
    });
    step();
  }
}

const names = [...new Set(golden.cases.map((c) => c.name))];
test.for(executors.flatMap((executor) => names.map((name) => [name, executor] as const)))(
  '%s, %s: parameters updated together are, bit for bit, as ops updates each alone',
  ([name, executor], context) => {
    needs(executor, context);
    const [together, alone] = [make(), make()];
    const one = new optimizers[name]!(together, { lr: 0.01 });
    const each = alone.map((p) => new optimizers[name]!([p], { lr: 0.01 }));
    withExecutor(executor, () => train(together, () => one.step()));
    withExecutor('ops', () =>
      train(alone, () => {
        for (const optimizer of each) optimizer.step();
      }),
    );
    together.forEach((p, i) => {
      expect(p.shape).toEqual(shapes[i]);
      expectSameBits(p.dataSync(), alone[i]!.dataSync(), `parameter ${i}`);
      const [mine, theirs] = [one.state.get(p) ?? {}, each[i]!.state.get(alone[i]!) ?? {}];
      expect(Object.keys(mine)).toEqual(Object.keys(theirs));
      for (const [key, value] of Object.entries(mine)) {
        if (!(value instanceof tf.Tensor)) expect(value).toBe(theirs[key]);
        else {
          expect(value.shape).toEqual(shapes[i]);
          expectSameBits(value.dataSync(), (theirs[key] as tf.Tensor).dataSync(), `${key} of parameter ${i}`);
        }
      }
    });
  },
);

test('ops: a hundred small parameters take few kernels', async () => {
  const params = Array.from({ length: 100 }, (_, i) => new Parameter(values([8, 8], i)));
  const optimizer = new Adam(params, { fused: false });
  for (let k = 0; k < 2; k++) {
    for (const p of params) p.grad = tf.onesLike(p) as unknown as typeof p.grad;
    const { kernelNames, kernels } = await tf.profile(() => {
      optimizer.step();
      return tf.scalar(0);
    });
    expect(kernelNames).toContain('SplitV');
    // 13 operations, four concats and three splits; at first the zeros of the state too.
    expect(kernels.length).toBeLessThan(k === 0 ? 300 : 40);
  }
});
