import * as tf from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import { backend, run, table, tooLong } from './seeds';

vi.setConfig({ testTimeout: 300_000 });

/** Each loop of a program goes on for so long. */
const turns = 500;

interface Longer {
  text: [from: string, to: string][];
  /** The program ends after so many; its other loops are like those before. @defaultValue turns */
  losses?: number;
  /** Convolutions, which take wasm minutes: on tensorflow alone. */
  heavy?: boolean;
}
/** What of each program is another text, so that it goes on. Batches are small: it is not their size that may grow. */
const longer: Record<string, Longer> = {
  '000/adam': { text: [['step < 15', `step < ${turns}`]], losses: turns + 5 },
  '000/groups': { text: [['i < 10', `i < ${turns}`]] },
  '000/learning_rate': { text: [['epoch < 20', `epoch < ${turns}`]] },
  '000/regularization': { text: [['epoch < 20', `epoch < ${turns}`]] },
  '000/sparse_adam': { text: [['step < 20', `step < ${turns}`]], losses: turns + 1 },
  '000/ensembles': { text: [['steps = 40', `steps = ${turns}`]] },
  '000/diagnose_losses': { text: [['epochs = 40', `epochs = ${turns}`]] },
  '001/compare': {
    text: [
      ['BATCHES = 300', `BATCHES = ${turns}`],
      ['batch_size: 64', 'batch_size: 4'],
    ],
    heavy: true,
  },
  '002/linear': { text: [['epoch < 100', `epoch < ${turns}`]] },
  '002/cnn': { text: [['epoch < 100', `epoch < ${turns}`]], heavy: true },
  '003/learning_rates': { text: [['train(optimizer, 5)', `train(optimizer, ${turns})`]], heavy: true },
  '003/own_optimizer': { text: [['epoch < 20', `epoch < ${turns}`]] },
  '004/sgd': { text: [['batch_size: 64', 'batch_size: 4']], heavy: true },
  '004/adam': { text: [['batch_size: 64', 'batch_size: 4']], heavy: true },
  '004/adamw': { text: [['batch_size: 64', 'batch_size: 4']], heavy: true },
  '004/losses': { text: [['batch_size: 32', 'batch_size: 1']], heavy: true },
};
const looping = table.filter(([name]) => name in longer);

it('has every program but the one that has no loop', () => {
  expect(looping.length).toBe(Object.keys(longer).length);
  expect(table.map(([name]) => name).filter((name) => !(name in longer))).toEqual(['003/lenet']);
});

it.for(looping)(
  `%s runs ${turns} turns in constant memory`,

  async ([name], { skip }) => {
    const { text, losses = turns, heavy } = longer[name]!;
    // test/memory.test.ts has loops of each kind for cpu.
    skip(backend === 'cpu' || (heavy === true && backend !== 'tensorflow'), tooLong);
    const counts: { tensors: number; buffers: number; bytes: number }[] = [];
    await run(
      name,
      { batches: turns, losses },
      {
        replace: text,
        onLoss: () => {
          const { numTensors: tensors, numDataBuffers: buffers, numBytes: bytes } = tf.memory();
          counts.push({ tensors, buffers, bytes });
        },
      },
    );
    expect(counts.length).toBeGreaterThanOrEqual(turns);
    // Of every loop, but for the first turns and for what comes before the first loop.
    while (counts.length >= turns) {
      const loop = counts.splice(-turns).slice(5);
      const middle = loop.length / 2;
      for (const what of ['tensors', 'buffers', 'bytes'] as const) {
        const most = (part: typeof loop) => Math.max(...part.map((count) => count[what]));
        expect(most(loop.slice(middle)), `${what} after ${middle} turns`).toBeLessThanOrEqual(
          most(loop.slice(0, middle)),
        );
      }
    }
  },
);
