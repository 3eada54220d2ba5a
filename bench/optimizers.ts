// Times Adam's step on many small and on few large parameters, beside tf.train.adam in the same process. See README.md.
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from '@tfjs-torch/node';
import { Adam, adam, referenceState, referenceStep } from '@tfjs-torch/optim';
import { relativeError, tolerances } from '../test/tolerances';

const { values } = parseArgs({
  options: { backends: { type: 'string' }, rounds: { type: 'string' }, steps: { type: 'string' } },
});
const rounds = Number(values.rounds ?? 15);
const steps = Number(values.steps ?? 10);

const problems: Record<string, number[][]> = {
  '100 parameters of 64': Array.from({ length: 100 }, () => [8, 8]),
  '784-256-128-10': [[784, 256], [256], [256, 128], [128], [128, 10], [10]],
};
const lr = 1e-3;

/** Values that are the same in every arm. */
function noise(size: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** One optimizer on variables of its own. */
interface Arm {
  name: string;
  variables: tf.Variable[];
  step(grads: tf.Tensor[]): void;
  times: number[];
}

function arms(shapes: number[][]): Arm[] {
  const variables = () =>
    shapes.map((shape, i) => tf.variable(tf.tensor(noise(tf.util.sizeFromShape(shape), i), shape)));
  const theirs = variables();
  const optimizer = tf.train.adam(lr, 0.9, 0.999, 1e-8);
  const ours = variables();
  const mine = new Adam(ours, { lr });
  return [
    {
      name: 'tf.train.adam',
      variables: theirs,
      step: (grads) => optimizer.applyGradients(theirs.map((v, i) => ({ name: v.name, tensor: grads[i]! }))),
      times: [],
    },
    {
      name: 'Adam',
      variables: ours,
      step(grads) {
        ours.forEach((v, i) => {
          v.grad = grads[i] as unknown as typeof v.grad;
        });
        mine.step();
        mine.zero_grad();
      },
      times: [],
    },
  ];
}

/** What a forward pass does to the parameters: reads them all. Ends when the backend is done. */
const forward = (variables: tf.Variable[]) =>
  tf.tidy(() => tf.addN(variables.map((v) => tf.sum(tf.mul(v, 0.5)))).dataSync()[0]!);

function run(arm: Arm, gradients: Float32Array[], shapes: number[][], from: number) {
  for (let k = from; k < from + steps; k++) {
    const grads = gradients.map((g, i) => tf.tidy(() => tf.mul(tf.tensor(g, shapes[i]!), 1 + Math.sin(k))));
    forward(arm.variables);
    const before = performance.now();
    arm.step(grads);
    // Reading one value back waits for the backend, if it has a queue.
    const last = arm.variables.at(-1)!;
    if (tf.getBackend().startsWith('webg')) last.dataSync();
    arm.times.push(performance.now() - before);
    tf.dispose(grads);
  }
}

/** The largest error of an arm against torch's rule in float64, after as many steps. */
function distance(arm: Arm, gradients: Float32Array[], count: number): number {
  return Math.max(
    ...gradients.map((g, i) => {
      const param = Float64Array.from(noise(g.length, i));
      const h = { ...adam.defaults, lr };
      const state = referenceState(adam, h, g.length);
      for (let k = 0; k < count; k++) {
        const factor = Math.fround(1 + Math.sin(k));
        referenceStep(
          adam,
          h,
          param,
          Float64Array.from(g, (x) => Math.fround(x * factor)),
          state,
        );
      }
      return relativeError(arm.variables[i]!.dataSync(), param);
    }),
  );
}

const median = (xs: number[]) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)]!;
const ms = (x: number) => x.toFixed(2).padStart(8);

console.log('milliseconds a step, median (least)'.padEnd(60), '   ratio');
for (const backend of (values.backends ?? 'tensorflow,wasm,cpu').split(',')) {
  await initBackend({ backend, quiet: true });
  for (const [name, shapes] of Object.entries(problems)) {
    const gradients = shapes.map((shape, i) => noise(tf.util.sizeFromShape(shape), 1000 + i));
    const both = arms(shapes);
    for (const arm of both) run(arm, gradients, shapes, 0);
    for (const arm of both) {
      const error = distance(arm, gradients, steps);
      // tfjs keeps beta^t in float32: its steps are up to 1e-5 off.
      const allowed = arm.name === 'Adam' ? tolerances.optimOps : 1e-4;
      if (!(error <= allowed)) throw new Error(`${arm.name} on ${backend} is ${error} from torch's rule`);
      arm.times.length = 0;
    }
    for (let round = 1; round <= rounds; round++) for (const arm of both) run(arm, gradients, shapes, round * steps);
    const [theirs, ours] = both.map((arm) => median(arm.times));
    const least = both.map((arm) => Math.min(...arm.times));
    console.log(
      `${backend.padEnd(11)} ${name.padEnd(22)} tf.train.adam ${ms(theirs!)} (${least[0]!.toFixed(2)})`,
      `Adam ${ms(ours!)} (${least[1]!.toFixed(2)})  ${(theirs! / ours!).toFixed(1)} ×`,
    );
  }
}
