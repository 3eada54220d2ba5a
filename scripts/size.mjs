// What the optimizers and schedulers cost a page: each entry is bundled as an application would bundle it, tfjs-core
// left out, and gzipped.
//   node scripts/size.mjs [names [package]]: also lists what the largest parts are of an import like '{ SGD }' of optim
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { root } from './setup.mjs';

// esbuild comes with tsup; on a fresh clone both come with the set-up, after this file is loaded.
const esbuild = () => createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild');

// `limit` is what they are now and a little more, so that they do not grow unseen; `goal` is what they should be, docs/size.md says
// why they are not.
const entries = [
  { from: 'optim', names: '*', limit: 24_500, goal: 20_000 },
  { from: 'optim', names: '{ SGD }', limit: 16_200, goal: 8_000 },
  { from: 'optim', names: '{ Adam }', limit: 16_500, goal: 8_000 },
  { from: 'lr-scheduler', names: '*', limit: 10_500, goal: 8_000 },
  { from: 'lr-scheduler', names: '{ StepLR }', limit: 5_000, goal: 8_000 },
  { from: 'lr-scheduler', names: '{ SequentialLR, LinearLR, CosineAnnealingLR }', limit: 6_000, goal: 8_000 },
];

/** What no optimizer and no scheduler may pull in: torch's tensors, the tape, the memory rounds, random numbers. */
const apart =
  /core\/src\/(tensor-methods|autograd|graph|hooks|memory|lazy|sparse|print|random|generator|creation)\.ts$/;

async function bundle(from, names) {
  const { outputFiles, metafile } = await esbuild().build({
    stdin: { contents: `export ${names} from '@tfjs-torch/${from}';`, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['tfjs-torch-source'],
    // #gradients are tfjs-core's.
    external: ['@tensorflow/*', '#gradients'],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const parts = Object.entries(inputs).map(([path, { bytesInOutput }]) => [bytesInOutput, path]);
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, parts };
}

/** Resolves to null, or to what is too large. */
export async function checkSizes() {
  const problems = [];
  for (const { from, names, limit, goal } of entries) {
    const { bytes, parts } = await bundle(from, names);
    const line = `${names} of ${from}: ${bytes} bytes gzipped, of ${limit} (goal: ${goal})`;
    console.log(line);
    if (bytes > limit) problems.push(line);
    const pulledIn = parts.map(([, path]) => path).filter((path) => apart.test(path));
    if (pulledIn.length > 0) problems.push(`${names} of ${from} pulls in ${pulledIn.join(', ')}`);
  }
  return problems.length > 0 ? problems.join('\n') : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , names, from = 'optim'] = process.argv;
  if (names) {
    const { parts } = await bundle(from, names);
    for (const [bytes, path] of parts.sort((a, b) => b[0] - a[0]).slice(0, 40)) console.log(bytes, path);
  }
  const problems = await checkSizes();
  if (problems) console.error(problems);
  process.exitCode = problems ? 1 : 0;
}
