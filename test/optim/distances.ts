import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { tolerances } from '../tolerances';

// docs/optimizers.md's table of distances: `pnpm distances` writes it, and the tests below hold it to what they find.

type Column = 'reference' | 'ops';
const backend = process.env.TFJS_TORCH_BACKEND!;
const folder = process.env.TFJS_TORCH_DISTANCES;
const titleOf = (column: Column) => (column === 'reference' ? 'reference' : `ops on ${backend}`);

const found: Record<string, Record<string, number>> = {};

/** Remembers how far a case is from torch. Returns `distance`. */
export function noted(name: string, column: Column, distance: number): number {
  found[name] ??= {};
  const title = titleOf(column);
  found[name][title] = Math.max(found[name][title] ?? 0, distance);
  return distance;
}

/** The table of docs/optimizers.md: by optimizer, by title of a column. */
function documented(): Record<string, Record<string, string>> {
  const text = readFileSync(new URL('../../docs/optimizers.md', import.meta.url), 'utf8');
  const [titles, , ...rows] = /<!-- pnpm distances -->\n([\s\S]*?)\n\n/
    .exec(text)![1]!
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return Object.fromEntries(
    rows.map(([name, ...cells]) => [name!, Object.fromEntries(cells.map((cell, i) => [titles![i + 1]!, cell]))]),
  );
}

/** To be called when all cases of a file have run. */
export function checkDocumented(file: string): void {
  if (folder) {
    writeFileSync(`${folder}/${backend} ${file}.json`, JSON.stringify(found));
    return;
  }
  const table = documented();
  for (const [name, columns] of Object.entries(found)) {
    for (const [title, distance] of Object.entries(columns)) {
      const said = Number(table[name]?.[title]);
      const near = distance <= said * tolerances.distanceDrift && said <= distance * tolerances.distanceDrift;
      const what = `${name}, ${title}: docs/optimizers.md says ${table[name]?.[title]}, found ${distance.toExponential(1)}: pnpm distances`;
      expect(near, what).toBe(true);
    }
  }
}
