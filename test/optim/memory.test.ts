import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import * as optim from '@tfjs-torch/optim';
import { afterEach, expect, test } from 'vitest';
import { withAllState } from './all-state';

const counts = () => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
};
const parameters = (...shapes: number[][]) => tf.tidy(() => shapes.map((shape) => new Parameter(tf.fill(shape, 0.5))));

interface Setup {
  params: tf.Tensor[];
  loss: () => tf.Tensor;
}

/** Far from the minimum of all steps, and another gradient in each. */
function dense(...shapes: number[][]): Setup {
  const params = parameters(...shapes);
  const loss = () => params.map((p) => tf.sum(tf.pow(tf.sub(p, 3), 4)) as tf.Tensor).reduce((a, b) => tf.add(a, b));
  return { params, loss };
}

function sparse(): Setup {
  let embedding!: nn.Embedding;
  tf.tidy(() => {
    embedding = new nn.Embedding(6, 3, { sparse: true });
  });
  return { params: [embedding.weight], loss: () => tf.sum(tf.square(embedding(tf.tensor1d([4, 1, 4], 'int32')))) };
}

const setups: Record<string, () => Setup> = { Muon: () => dense([4, 3], [2, 5]), SparseAdam: sparse };
const makers = {
  ...withAllState,
  'LBFGS without line search': (params: tf.Tensor[]) => new optim.LBFGS(params, 0.01, { max_iter: 3 }),
};
/** Whether executors have to do with it. */
const isRule = (name: string) => {
  const value: unknown = (optim as Record<string, unknown>)[name];
  return typeof value === 'function' && 'rule' in value;
};
const rows = (['ops', null] as const).flatMap((executor) =>
  Object.entries(makers)
    .filter(([name]) => executor === null || isRule(name))
    .map(([name, make]) => [name, executor ?? 'as it comes', make, executor] as const),
);

afterEach(() => optim.setExecutor(null));

test.each(rows)(
  '%s, %s: tensors, buffers and bytes are constant from step 2 on, and dispose gives all back',
  (name, _, make, executor) => {
    optim.setExecutor(executor);
    const { params, loss } = (setups[name] ?? (() => dense([4, 3], [3], [], [40, 30])))();
    const before = counts();
    const optimizer = make(params);
    const seen = Array.from({ length: 6 }, () => {
      tf.tidy(() => {
        optimizer.step(() => {
          optimizer.zero_grad();
          const value = loss();
          value.backward();
          return value;
        });
      });
      return counts();
    });
    for (const at of seen.slice(2)) expect(at).toEqual(seen[1]);
    expect(seen[1]!.numBytes).toBeGreaterThan(before.numBytes);
    optimizer.zero_grad();
    optimizer.dispose();
    expect(counts()).toEqual(before);
  },
);

test('every optimizer is a row', () => {
  const classes = Object.entries(optim).filter(([, value]) => typeof value === 'function' && 'declaration' in value);
  expect(Object.keys(withAllState).sort()).toEqual(classes.map(([name]) => name).sort());
});
