/** Runs the programs of examples/seeds as they stand, for the tests beside this file. */
import * as tf from '@tensorflow/tfjs-core';
import torch from 'tfjs-torch';
import { vi } from 'vitest';
import programs from '../examples/seeds/programs.json';

const { DataLoader } = torch.utils.data;

/** How a program is run, in scripts/golden/seeds.py alike. */
export interface Form {
  what: string;
  /** A loader ends an epoch after so many. */
  batches?: number;
  /** The program ends at the next call of `backward`. */
  losses?: number;
  /** Of those of a free run so many are judged: at the next one a rounding error has made a step of its own. */
  judged?: number;
  /** Every number that it prints has so many of torch's digits. */
  digits?: number;
  /** What is different where the program is teacher-forced: every so many losses are judged. */
  forced?: { losses?: number; every?: number; slow?: string[] };
  /** False where there is only ours: it draws what another program computes. */
  python?: boolean;
  /** The backends that would take too long. */
  slow?: string[];
}

export const table = Object.entries(programs as Record<string, Form>).filter(([, form]) => form.python !== false);
export const backend = process.env.TFJS_TORCH_BACKEND!;
export const isSlow = ({ slow }: Pick<Form, 'slow'>) => slow?.includes(backend) === true;
export const tooLong = `it takes ${backend} too long`;

/** What `backward` is called on: its value or values. */
export type Loss = number | number[];

/** Relative above 1, absolute below. */
export const distance = (value: number, other: number) => Math.abs(value - other) / Math.max(1, Math.abs(other));
/** The largest of a loss of several values. */
export const lossDistance = (loss: Loss, other: Loss) =>
  Math.max(...[loss].flat().map((value, k) => distance(value, [other].flat()[k]!)));

class Enough extends Error {}

const proto = tf.Tensor.prototype as unknown as { backward(this: tf.Tensor, ...args: unknown[]): void };
const loaders = DataLoader.prototype as unknown as { [Symbol.iterator](this: unknown): IterableIterator<unknown> };

/** What else a test may ask of a run. */
interface RunOptions {
  /** What is another text in the program's source. */
  replace?: [from: string, to: string][];
  /** Called at each loss, before its `backward`. */
  onLoss?: () => void;
}

export async function run(
  name: string,
  { batches = 20, losses }: Pick<Form, 'batches' | 'losses'>,
  { replace, onLoss }: RunOptions = {},
): Promise<{ losses: Loss[]; lines: string[] }> {
  const seen: Loss[] = [];
  const lines: string[] = [];
  const { backward } = proto;
  const iterate = loaders[Symbol.iterator];
  proto.backward = function (...args) {
    if (seen.length === losses) throw new Enough();
    seen.push(this.rank === 0 ? this.dataSync()[0]! : [...this.dataSync()]);
    onLoss?.();
    backward.apply(this, args);
  };
  loaders[Symbol.iterator] = function* () {
    let count = 0;
    for (const batch of iterate.call(this)) {
      if (count++ === batches) return;
      yield batch;
    }
  };
  const log = vi
    .spyOn(console, 'log')
    .mockImplementation((...parts) => void lines.push(...parts.join(' ').split('\n')));
  try {
    const query = replace ? `?replace=${encodeURIComponent(JSON.stringify(replace))}` : '';
    await import(/* @vite-ignore */ new URL(`../examples/seeds/${name}.ts${query}`, import.meta.url).href);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  } finally {
    log.mockRestore();
    proto.backward = backward;
    loaders[Symbol.iterator] = iterate;
  }
  return { losses: seen, lines };
}
