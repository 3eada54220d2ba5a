// What the optimizers and schedulers cost a page: each entry is bundled as an application would bundle it, tfjs-core left out, and gzipped.
//   node scripts/size.mjs [names]: also lists what the largest parts are of an import like '{ SGD }'
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { root } from './setup.mjs';

// esbuild comes with tsup; on a fresh clone both come with the set-up, after this file is loaded.
const esbuild = () => createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild');

// What they are now and a little more, so that they do not grow unseen. The goal, all of optim in 20 kB and one optimizer in 8,
// with core, is not reached: core's tape, memory rounds, tensor methods and their signatures come with every optimizer.
// Nor is that of the schedulers, all in 8 kB: torch's texts alone are 1.9 of it, bind and the errors 1.7; what is imported by name
// is below it.
const entries = [
  { names: '*', alone: 18_500, withCore: 36_000 },
  { names: '{ SGD }', alone: 10_000, withCore: 28_000 },
  { names: '{ Adam }', alone: 10_000, withCore: 28_000 },
  { from: 'lr-scheduler', names: '*', withCore: 10_500 },
  { from: 'lr-scheduler', names: '{ StepLR }', withCore: 5_000 },
  { from: 'lr-scheduler', names: '{ SequentialLR, LinearLR, CosineAnnealingLR }', withCore: 6_000 },
];

async function bundle(from, names, withCore) {
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
    external: ['@tensorflow/*', '#gradients', ...(withCore ? [] : ['@tfjs-torch/core'])],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const parts = Object.entries(inputs).map(([path, { bytesInOutput }]) => [bytesInOutput, path]);
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, parts };
}

/** Resolves to null, or to what is too large. */
export async function checkSizes() {
  const tooLarge = [];
  for (const { from = 'optim', names, ...limits } of entries) {
    for (const [what, limit] of Object.entries(limits)) {
      const { bytes } = await bundle(from, names, what === 'withCore');
      const line = `${names} of ${from}${what === 'withCore' ? ' with core' : ''}: ${bytes} bytes gzipped, of ${limit}`;
      console.log(line);
      if (bytes > limit) tooLarge.push(line);
    }
  }
  return tooLarge.length > 0 ? tooLarge.join('\n') : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , names] = process.argv;
  if (names) {
    const { parts } = await bundle('optim', names, true);
    for (const [bytes, path] of parts.sort((a, b) => b[0] - a[0]).slice(0, 40)) console.log(bytes, path);
  }
  process.exitCode = (await checkSizes()) ? 1 : 0;
}
