// pnpm distances: runs the golden tests of the optimizers on all backends, and writes the distances from torch that they find
// into docs/optimizers.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './setup.mjs';

const files = ['test/optim/rules.test.ts', 'test/optim/classes.test.ts'];
const columns = ['reference', 'ops on cpu', 'ops on wasm', 'ops on tensorflow'];
const folder = mkdtempSync(join(tmpdir(), 'distances-'));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { code, output } = await run(process.execPath, [vitest, 'run', '--reporter=dot', ...files], {
  capture: true,
  env: { ...process.env, TFJS_TORCH_DISTANCES: folder },
});
if (code !== 0) throw new Error(`the tests fail, so nothing is written:\n${output}`);

const table = {};
for (const file of readdirSync(folder)) {
  for (const [name, found] of Object.entries(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
    table[name] ??= {};
    for (const [column, distance] of Object.entries(found))
      table[name][column] = Math.max(table[name][column] ?? 0, distance);
  }
}
rmSync(folder, { recursive: true });

const doc = join(root, 'docs', 'optimizers.md');
const text = readFileSync(doc, 'utf8');
// In the order of the rows above; `SGD, sparse` after `SGD`.
const names = [...text.matchAll(/^\| (\w+) \| `/gm)].flatMap(([, name]) => [
  name,
  ...Object.keys(table).filter((row) => row.startsWith(`${name},`)),
]);
const missing = names.filter((name) => columns.slice(1).some((column) => table[name]?.[column] === undefined));
if (missing.length > 0) throw new Error(`no distance of ${missing.join(', ')} on one of the backends`);
const figure = (x) => (x === undefined ? '–' : x === 0 ? '0' : x.toExponential(1));
const rows = names.map((name) => `| ${[name, ...columns.map((column) => figure(table[name][column]))].join(' | ')} |`);
const lines = [`| | ${columns.join(' | ')} |`, `|---|${'---|'.repeat(columns.length)}`, ...rows];
const marker = '<!-- pnpm distances -->\n';
const start = text.indexOf(marker) + marker.length;
if (start < marker.length) throw new Error(`${doc} lacks ${marker}`);
writeFileSync(doc, text.slice(0, start) + lines.join('\n') + text.slice(text.indexOf('\n\n', start)));
console.log(lines.join('\n'));
