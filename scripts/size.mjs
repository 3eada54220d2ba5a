// What the optimizers and schedulers cost a page: each entry is bundled as an application would bundle it, tfjs-core
// left out, and gzipped.
//   node scripts/size.mjs [names [package [regexp]]]: also what each module adds to an import like '{ SGD }' of optim, or all those
//   whose path fits add together
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { root } from './setup.mjs';

// esbuild comes with tsup; on a fresh clone both come with the set-up, after this file is loaded.
const esbuild = () => createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild');

// `limit` is what they are now and a little more, so that they do not grow unseen; `goal` is what they should be, docs/size.md says
// why they are not.
const entries = [
  { from: 'optim', names: '*', limit: 26_200, goal: 20_000 },
  { from: 'optim', names: '{ SGD }', limit: 17_400, goal: 8_000 },
  { from: 'optim', names: '{ Adam }', limit: 17_700, goal: 8_000 },
  { from: 'lr-scheduler', names: '*', limit: 10_500, goal: 8_000 },
  { from: 'lr-scheduler', names: '{ StepLR }', limit: 4_600, goal: 8_000 },
  { from: 'lr-scheduler', names: '{ SequentialLR, LinearLR, CosineAnnealingLR }', limit: 5_700, goal: 8_000 },
];

/** What no optimizer and no scheduler may pull in: the tape, the memory rounds, torch's tensors and random numbers. */
const apart = /core\/src\/(tape|torch)\//;

const gzipped = (code) => gzipSync(code, { level: 9 }).length;

async function bundle(from, names, options) {
  const { outputFiles, metafile } = await esbuild().build({
    stdin: { contents: `export ${names} from '@tfjs-torch/${from}';`, resolveDir: root },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['tfjs-torch-source'],
    // #gradients are tfjs-core's.
    external: ['@tensorflow/*', '#gradients'],
    ...options,
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  return { code: outputFiles[0].text, modules: Object.keys(inputs) };
}

/** What the bundle loses without the modules of each group, by the group's name. */
async function shares(from, names, regexp) {
  // esbuild heads each module with its path as long as white space stays.
  const { code } = await bundle(from, names, { minifyIdentifiers: true, minifySyntax: true });
  const modules = code.replace(/^export \{[^}]*\};$/m, '').split(/^(?=\/\/ packages\/)/m);
  const path = (module) => /^\/\/ (packages\/.*)/.exec(module)?.[1] ?? '';
  const size = async (parts) =>
    gzipped((await esbuild().transform(parts.join(''), { minifyWhitespace: true, format: 'esm' })).code);
  const whole = await size(modules);
  const groups = regexp
    ? [new RegExp(regexp)]
    : [...new Set(modules.map(path))].map((p) => ({ test: (q) => q === p, source: p }));
  const lost = groups.map(async (group) => [
    whole - (await size(modules.filter((m) => !group.test(path(m))))),
    group.source,
  ]);
  return (await Promise.all(lost)).sort(([a], [b]) => b - a);
}

/** Resolves to null, or to what is too large. */
export async function checkSizes() {
  const problems = [];
  for (const { from, names, limit, goal } of entries) {
    const { code, modules } = await bundle(from, names, { minify: true });
    const bytes = gzipped(code);
    const line = `${names} of ${from}: ${bytes} bytes gzipped, of ${limit} (goal: ${goal})`;
    console.log(line);
    if (bytes > limit) problems.push(line);
    const pulledIn = modules.filter((path) => apart.test(path));
    if (pulledIn.length > 0) problems.push(`${names} of ${from} pulls in ${pulledIn.join(', ')}`);
  }
  return problems.length > 0 ? problems.join('\n') : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , names, from = 'optim', regexp] = process.argv;
  if (names) for (const [bytes, of] of await shares(from, names, regexp)) console.log(bytes, of);
  const problems = await checkSizes();
  if (problems) console.error(problems);
  process.exitCode = problems ? 1 : 0;
}
