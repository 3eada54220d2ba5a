import { cpus } from 'node:os';
import type * as tf from '@tensorflow/tfjs-core';
import { compare, teacherForced } from '@tfjs-torch/parity';
import torch from 'tfjs-torch';
import { describe, expect, it } from 'vitest';
import { lenet } from './nets';
import { goldenOf, head } from './parity/golden';
import { script, test, train } from './parity/lenet';
import { tolerances } from './tolerances';

const { nn } = torch;
const { DataLoader, Subset, TensorDataset } = torch.utils.data;

const backend = process.env.TFJS_TORCH_BACKEND;
// A step takes the cpu backend half a second: it runs every fourth state and one seed.
const slow = backend === 'cpu';
const states = head.states.map((_, index) => index).filter((index) => !slow || index % 4 === 0);
const { runs, judged } = head.free_run;

const criterion = new nn.CrossEntropyLoss();

/** `p` of the values lie at or below what this returns. */
const quantile = (values: number[], p: number) => [...values].sort((a, b) => a - b)[Math.ceil(p * values.length) - 1]!;
const figure = (value: number) => value.toExponential(1);

/** A loader over the numbers of the images, in the place of the script's loader over the images. */
function numbersLoader(seed: number) {
  script(seed);
  const numbers = new TensorDataset(torch.arange(train.length));
  return new DataLoader(numbers, { batch_size: head.batch_size, shuffle: true });
}

function firstBatches(loader: ReturnType<typeof numbersLoader>, count: number): number[][] {
  const batches: number[][] = [];
  for (const [batch] of loader) {
    batches.push([...batch!.dataSync()]);
    if (batches.length === count) break;
  }
  return batches;
}

describe(`LeNet on MNIST beside torch ${head.torch} (${head.made_on.cpu}, ${head.made_on.capability})`, () => {
  it.each(runs)('draws the batches of torch, seed $seed', ({ seed, indices }) => {
    expect(firstBatches(numbersLoader(seed), indices.length)).toEqual(indices);
  });

  it('draws the second epoch of torch after an evaluation', () => {
    const loader = numbersLoader(head.seed);
    const evaluation = new DataLoader(test, { batch_size: 1000 });
    const [first] = firstBatches(loader, 1);
    for (const _ of evaluation) break;
    const [second] = firstBatches(loader, 1);
    expect([first, second]).toEqual(head.first_batches);
  });

  it("has the loss and the gradients of torch.float64 at torch's states", () => {
    const net = lenet();
    const golden = goldenOf(states);
    const trace = teacherForced(golden, net, null, (indices: tf.Tensor) => {
      const [batch] = [...new DataLoader(new Subset(train, [...indices.dataSync()]), { batch_size: head.batch_size })];
      const [images, labels] = batch!;
      return criterion(net(images), labels);
    });
    const { rows } = compare(trace, golden, { only: ['loss', 'grad'] });
    const farthest = (kind: string) =>
      golden.steps.map(({ step }) => rows.find((row) => row.step === step && row.kind === kind)!.relative);
    const gradient = farthest('grad');
    const own = states.map((index) => head.states[index]!.own.mkldnn.gradient);
    const median = quantile(gradient, 0.5);
    const ownMedian = quantile(own, 0.5);
    const loss = Math.max(...farthest('loss'));
    const above = gradient.filter((g) => !(g <= tolerances.forcedGradient)).length;
    console.info(
      `${backend}: ${states.length} states, loss ${figure(loss)}; gradient median ${figure(median)}`,
      `(torch.float32: ${figure(ownMedian)}), 95 % ${figure(quantile(gradient, 0.95))},`,
      `${above} above ${figure(tolerances.forcedGradient)} (torch.float32: ${own.filter((g) => g > tolerances.forcedGradient).length})`,
    );
    expect(loss).toBeLessThanOrEqual(tolerances.forcedLoss);
    expect(median).toBeLessThanOrEqual(tolerances.forcedGradientOverOwn * ownMedian);
    expect(above).toBeLessThanOrEqual(Math.max(1, Math.floor(tolerances.forcedStatesAbove * states.length)));
  });

  it(`has torch's first ${judged} losses`, () => {
    const left = runs
      .filter(({ seed }) => !slow || seed === head.seed)
      .filter(({ seed, losses }) => {
        const { net, optimizer, loader } = script(seed);
        const distances: number[] = [];
        for (const [images, labels] of loader) {
          const loss = criterion(net(images), labels);
          optimizer.zero_grad();
          loss.backward();
          optimizer.step();
          const [step, value] = [distances.length, loss.item()];
          distances.push(Math.min(...Object.values(losses).map((variant) => Math.abs(value - variant[step]!))));
          if (distances.length === judged) break;
        }
        const farthest = Math.max(...distances);
        console.info(`${backend}: seed ${seed}, the first ${judged} losses within ${figure(farthest)} of torch's`);
        return !(farthest <= tolerances.lenetFreeRun);
      });
    const recorded = cpus()[0]!.model.includes(head.made_on.cpu);
    expect(left.length).toBeLessThanOrEqual(recorded ? 0 : tolerances.lenetRunsLeftElsewhere);
  });
});
