import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { draw } from '../examples/seeds/001/draw';
import { generated } from '../examples/seeds/cifar10';
import { readGolden } from './read-golden';
import { backend, distance, isSlow, type Loss, lossDistance, run, table, tooLong } from './seeds';
import { tolerances } from './tolerances';

interface Run {
  losses: Loss[];
  lines: string[];
}
const golden = (name: string) => readGolden<{ variants: Record<string, Run> }>(`seeds/${name}`);

const number = /-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)/gi;
const numbersOf = (line: string) => [...line.matchAll(number)].map(([text]) => Number(text.replace('inf', 'Infinity')));
const words = (line: string) => line.replace(number, '#').replace(/ +/g, ' ');

/** How far torch's own variants are from each other, up to each loss. */
function spread(runs: readonly Run[]): number[] {
  let most = 0;
  return runs[0]!.losses.map((_, i) => {
    const [first, ...others] = runs.map((r) => r.losses[i]!);
    most = Math.max(most, ...others.map((loss) => lossDistance(loss, first!)));
    return most;
  });
}

describe.each(table)('%s', (name, form) => {
  const { variants } = golden(name);
  const runs = Object.values(variants);

  it("has torch's losses and prints torch's lines", async ({ skip }) => {
    skip(isSlow(form), tooLong);
    const { losses, lines } = await run(name, form);
    expect(losses.length).toBe(runs[0]!.losses.length);
    const far = losses.map((loss, i) => Math.min(...runs.map((r) => lossDistance(loss, r.losses[i]!))));
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
    expect(lines.filter((_, i) => !(off[i]! <= tolerances.seedPrinted))).toEqual([]);
    if (form.digits) {
      const digits = (line: string) => numbersOf(line).map((value) => value.toPrecision(form.digits));
      expect(lines.map(digits)).toEqual(runs[0]!.lines.map(digits));
    }
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
