/**
 * Draws learning-rate schedules as SVG.
 *
 *   pnpm schedules                           every one of docs/schedulers.md, to docs/schedules
 *   pnpm schedules mine.ts [--epochs 200]    your own, to mine.svg: the file's default export makes the scheduler
 *                                            of an optimizer, `(optimizer) => new lr_scheduler.StepLR(optimizer, 30)`
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { initBackend } from '@tfjs-torch/node';
import { chart } from './chart';
import { type Make, ratesOf, schedules } from './schedules';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { epochs: { type: 'string', default: '100' }, out: { type: 'string' } },
});
const epochs = Number(values.epochs);
if (!Number.isInteger(epochs) || epochs < 2)
  throw new Error(`--epochs must be a number above 1, but is ${values.epochs}`);
await initBackend({ quiet: true });

if (positionals.length === 0) {
  const folder = values.out ?? fileURLToPath(new URL('../../docs/schedules', import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [name, [title, make]] of Object.entries(schedules))
    writeFileSync(`${folder}/${name}.svg`, chart(title, ratesOf(make, epochs)));
  console.log(`${Object.keys(schedules).length} schedules in ${folder}`);
}
for (const path of positionals) {
  const name = basename(path, extname(path));
  const { default: make } = (await import(pathToFileURL(resolve(path)).href)) as { default: Make };
  const out = values.out ?? `${name}.svg`;
  writeFileSync(out, chart(name, ratesOf(make, epochs)));
  console.log(out);
}
