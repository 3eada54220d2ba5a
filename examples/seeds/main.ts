/**
 * Runs a program of the seed articles: pnpm seeds 002/linear [--backend wasm] [its own arguments]
 * `pnpm seeds` lists them.
 */
import { parseArgs } from 'node:util';
import { initBackend } from '@tfjs-torch/node';
import programs from './programs.json';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { backend: { type: 'string' }, help: { type: 'boolean' } },
});
const [name] = positionals;
const list = Object.entries(programs).map(([path, { what }]) => `  ${path.padEnd(20)} ${what}`);
if (!name || values.help) {
  console.log(['pnpm seeds PROGRAM [--backend tensorflow|wasm|cpu]\n', ...list].join('\n'));
} else if (!(name in programs)) {
  console.error([`There is no ${name}. There are:\n`, ...list].join('\n'));
  process.exitCode = 2;
} else {
  await initBackend({ backend: values.backend, quiet: true });
  await import(`./${name}.ts`);
}
