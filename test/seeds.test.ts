import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import torch from 'tfjs-torch';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { draw } from '../examples/seeds/001/draw';
import { generated } from '../examples/seeds/cifar10';
import programs from '../examples/seeds/programs.json';
import { tolerances } from './tolerances';

const { DataLoader } = torch.utils.data;

/** How a program is cut short, in scripts/golden/seeds.py alike. */
interface Form {
  what: string;
  /** A loader ends an epoch after so many. */
  batches?: number;
  /** The program ends at the next call of `backward`. */
  losses?: number;
  /** So many losses are judged: at the next one a rounding error has made a step of its own. */
  judged?: number;
  /** Its last loop: the count of tensors does not grow after its 5th turn; on tensorflow to the end of the program. */
  loop?: boolean;
  /** False where there is only ours: it draws what another program computes. */
  python?: boolean;
  /** The backends that would take too long. */
  slow?: string[];
}
interface Run {
  losses: (number | number[])[];
  lines: string[];
}
const table = Object.entries(programs as Record<string, Form>).filter(([, form]) => form.python !== false);
const golden = (name: string): { variants: Record<string, Run> } =>
  JSON.parse(readFileSync(new URL(`golden/seeds/${name}.json`, import.meta.url), 'utf8'));

class Enough extends Error {}

const proto = tf.Tensor.prototype as unknown as { backward(this: tf.Tensor, ...args: unknown[]): void };
const loaders = DataLoader.prototype as unknown as { [Symbol.iterator](this: unknown): IterableIterator<unknown> };

/** Runs a program as it stands. */
async function run(name: string, { batches = 20, losses }: Form): Promise<Run & { tensors: number[] }> {
  const seen: Run['losses'] = [];
  const tensors: number[] = [];
  const lines: string[] = [];
  const { backward } = proto;
  const iterate = loaders[Symbol.iterator];
  const restore = () => {
    proto.backward = backward;
    loaders[Symbol.iterator] = iterate;
  };
  proto.backward = function (...args) {
    if (seen.length === losses) throw new Enough();
    seen.push(this.rank === 0 ? this.dataSync()[0]! : [...this.dataSync()]);
    tensors.push(tf.memory().numTensors);
    backward.apply(this, args);
  };
  loaders[Symbol.iterator] = function* () {
    let count = 0;
    for (const batch of iterate.call(this)) {
      if (count++ === batches) return;
      yield batch;
    }
  };
  vi.spyOn(console, 'log').mockImplementation((...parts) => void lines.push(...parts.join(' ').split('\n')));
  try {
    await import(/* @vite-ignore */ new URL(`../examples/seeds/${name}.ts`, import.meta.url).href);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  } finally {
    restore();
  }
  return { losses: seen, lines, tensors };
}
afterEach(() => void vi.restoreAllMocks());

const number = /-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)/gi;
const numbersOf = (line: string) => [...line.matchAll(number)].map(([text]) => Number(text.replace('inf', 'Infinity')));
const words = (line: string) => line.replace(number, '#').replace(/ +/g, ' ');

/** Relative above 1, absolute below. */
const distance = (value: number, other: number) => Math.abs(value - other) / Math.max(1, Math.abs(other));

/** How far torch's own variants are from each other, up to each loss. */
function spread(runs: readonly Run[]): number[] {
  let most = 0;
  return runs[0]!.losses.map((_, i) => {
    const [first, ...others] = runs.map((r) => [r.losses[i]!].flat());
    most = Math.max(most, ...others.flatMap((values) => values.map((v, k) => distance(v, first![k]!))));
    return most;
  });
}

const backend = process.env.TFJS_TORCH_BACKEND;

describe.each(table)('%s', (name, form) => {
  const { variants } = golden(name);
  const runs = Object.values(variants);

  it("has torch's losses and prints torch's lines", async ({ skip }) => {
    skip(form.slow?.includes(backend!) === true, `it takes ${backend} too long`);
    const whole = form.loop && backend === 'tensorflow';
    const { losses: all, lines: printed, tensors } = await run(name, whole ? { ...form, losses: undefined } : form);
    const losses = all.slice(0, runs[0]!.losses.length);
    const lines = printed.slice(0, runs[0]!.lines.length);
    expect(losses.length).toBe(runs[0]!.losses.length);
    const far = losses.map((loss, i) => {
      const values = [loss].flat();
      return Math.max(...values.map((v, k) => Math.min(...runs.map((r) => distance(v, [r.losses[i]!].flat()[k]!)))));
    });
    console.info(`${backend}: ${name}, ${far.length} losses within ${Math.max(...far).toExponential(1)} of torch's`);
    const own = spread(runs);
    expect(
      far
        .slice(0, form.judged)
        .filter((d, i) => !(d <= Math.max(tolerances.seedFreeRun, tolerances.seedFreeRunOverOwn * own[i]!))),
    ).toEqual([]);
    expect(lines.map(words)).toEqual(runs[0]!.lines.map(words));
    const off = lines.map((line, i) => {
      const values = numbersOf(line);
      return Math.min(
        ...runs.map((r) => Math.max(0, ...numbersOf(r.lines[i]!).map((other, k) => distance(values[k]!, other)))),
      );
    });
    if (form.loop) {
      const middle = Math.ceil(tensors.length / 2);
      const [early, late] = [tensors.slice(5, middle), tensors.slice(middle)].map((part) => Math.max(...part));
      // One more in the turn after a print.
      expect(late, `tensors at each loss: ${tensors.join(' ')}`).toBeLessThanOrEqual(early! + 1);
    }
    expect(lines.filter((_, i) => !(off[i]! <= tolerances.seedPrinted))).toEqual([]);
  });
});

it.each(['000', '001', '002', '003', '004'])('no program of %s disposes of anything', (article) => {
  const folder = new URL(`../examples/seeds/${article}/`, import.meta.url);
  const sources = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(1);
  for (const file of sources)
    expect(readFileSync(new URL(file, folder), 'utf8')).not.toMatch(/dispose|tidy|keep\(|scope\(/);
});

describe("the README's table", () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `pnpm seeds (\S+)` \|.*\| `([^`]+)` \|$/gm)].map((row) => row.slice(1));

  it('has every program', () => {
    const names = rows.map(([name]) => (name === '001/plot' ? '001/compare' : name));
    expect(names).toEqual(table.map(([name]) => name));
  });

  it.each(rows.filter(([name]) => name !== '001/plot'))('%s prints %s in PyTorch too', (name, line) => {
    const start = line!.replace(' …', '');
    const printed = golden(name!).variants['threads 1, mkldnn']!.lines;
    const same = (other: string) =>
      words(other).startsWith(words(start)) &&
      numbersOf(start).every((value, i) => distance(value, numbersOf(other)[i]!) <= tolerances.seedPrinted);
    expect(printed.some(same)).toBe(true);
  });
});

describe('draw', () => {
  const curves = {
    SGD: Array.from({ length: 60 }, (_, i) => 2 - i / 60),
    Adam: Array.from({ length: 60 }, (_, i) => 2 / (1 + i)),
  };
  const { terminal, svg } = draw(curves);

  it('names every curve in the terminal and in the SVG', () => {
    for (const name of Object.keys(curves)) {
      expect(terminal).toContain(name);
      expect(svg).toContain(`>${name}</text>`);
    }
    expect(svg.match(/<path d="M[^"]*L/g)?.length).toBe(2);
  });
});

it.each<[string, number[], number[], number | null]>([
  ['both fall', [4, 3, 2, 1], [4, 3, 2, 2], 1],
  ['the train loss falls, the test loss stays', [4, 3, 2, 1], [2, 2.1, 2, 2.05], 2],
  ['both stay', [2, 2, 2, 1.9], [2, 2, 2, 2], 3],
  ['the test loss falls alone', [2, 2, 2, 2], [4, 3, 2, 1], 4],
  ['both rise', [1, 2, 3, 4], [1, 2, 3, 4], 5],
  ['both end in NaN', [1, 2, 3, Number.NaN], [1, 1, 1, Number.NaN], 5],
  ['the train loss falls, the test loss rises', [4, 3, 2, 1], [1, 2, 3, 4], null],
])('diagnose_losses: %s', async (_, train, test, row) => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { diagnose_losses } = await import('../examples/seeds/000/diagnose_losses');
  log.mockRestore();
  expect(diagnose_losses(train, test).row?.[0] ?? null).toBe(row);
});

it('makes the generated pictures of datasets.py', () => {
  const file = readFileSync(`${generated()}/cifar-10-batches-bin/test_batch.bin`);
  expect(createHash('md5').update(new Uint8Array(file)).digest('hex')).toBe('d6050b9d987c369d5ee8ec767530adb8');
});
