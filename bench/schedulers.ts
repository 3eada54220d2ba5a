/** Times `scheduler.step()` on an optimizer of 8 groups: the median of 400 samples of 50 steps, in µs. */
import * as tf from '@tensorflow/tfjs-core';
import { Parameter, setWarningSink } from '@tfjs-torch/core';
import * as lr from '@tfjs-torch/lr-scheduler';
import { SGD } from '@tfjs-torch/optim';
import '@tensorflow/tfjs-backend-cpu';

const limit = 5;
const total_steps = 1e6;
const schedulers: Record<string, (o: SGD) => lr.LRScheduler> = {
  LambdaLR: (o) => new lr.LambdaLR(o, (t) => 1 / (1 + t)),
  MultiplicativeLR: (o) => new lr.MultiplicativeLR(o, () => 0.999),
  StepLR: (o) => new lr.StepLR(o, 30),
  MultiStepLR: (o) => new lr.MultiStepLR(o, [30, 80]),
  ConstantLR: (o) => new lr.ConstantLR(o),
  LinearLR: (o) => new lr.LinearLR(o, { total_iters: total_steps }),
  ExponentialLR: (o) => new lr.ExponentialLR(o, 0.9999),
  PolynomialLR: (o) => new lr.PolynomialLR(o, total_steps),
  CosineAnnealingLR: (o) => new lr.CosineAnnealingLR(o, 1000),
  CosineAnnealingWarmRestarts: (o) => new lr.CosineAnnealingWarmRestarts(o, 50),
  CyclicLR: (o) => new lr.CyclicLR(o, 0.01, 0.1, 50),
  OneCycleLR: (o) => new lr.OneCycleLR(o, 0.1, total_steps),
  ReduceLROnPlateau: (o) => new lr.ReduceLROnPlateau(o),
  'SequentialLR of 2': (o) => new lr.SequentialLR(o, [new lr.LinearLR(o), new lr.CosineAnnealingLR(o, 1000)], [5]),
  'ChainedScheduler of 2': (o) => new lr.ChainedScheduler([new lr.ExponentialLR(o, 0.9999), new lr.StepLR(o, 30)]),
  SWALR: (o) => new lr.SWALR(o, 0.05),
};

await tf.setBackend('cpu');
setWarningSink(() => {});
const optimizer = () =>
  new SGD(Array.from({ length: 8 }, (_, i) => ({ params: [new Parameter(tf.ones([1]))], lr: 0.1 / (i + 1) })));

const [samples, steps] = [400, 50];
let worst = 0;
for (const [name, make] of Object.entries(schedulers)) {
  const scheduler = make(optimizer());
  const plain = !(scheduler instanceof lr.ReduceLROnPlateau);
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    const start = performance.now();
    for (let k = 0; k < steps; k++) plain ? scheduler.step() : scheduler.step(k);
    times.push(((performance.now() - start) / steps) * 1e3);
  }
  times.sort((a, b) => a - b);
  const median = times[samples >> 1]!;
  worst = Math.max(worst, median);
  console.log(`${name.padEnd(28)} ${median.toFixed(2).padStart(5)} µs, least ${times[0]!.toFixed(2)}`);
}
console.log(`worst median ${worst.toFixed(2)} µs, limit ${limit}`);
process.exitCode = worst < limit ? 0 : 1;
