// npm test: sets up what is missing, then runs all that CI runs. With --with-tensorflow the tensorflow backend has to be
// there, and the smoke on Node 24 covers it too; without it, it is skipped by name where it cannot be had.
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkExample } from './example.mjs';
import { npx, packages, root, run, setUp } from './setup.mjs';
import { checkSizes } from './size.mjs';

const { values: options } = parseArgs({ options: { 'with-tensorflow': { type: 'boolean', default: false } } });
const node = process.execPath;
const bin = (name) => join(root, 'node_modules', ...name.split('/'));
const otherNode = '24';

let passed = 0;
let failed = 0;
const lines = [];
function record(name, ok, seconds, detail = '') {
  if (ok) passed += 1;
  else failed += 1;
  note(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)${detail && `: ${detail}`}`);
}
function note(line) {
  lines.push(line);
  console.log(line);
}

/** A check is a function that resolves to null, or to what is wrong. */
async function check(name, f) {
  const start = performance.now();
  const problem = await f().catch((error) => error.stack);
  record(name, !problem, (performance.now() - start) / 1000, problem ?? '');
}
const succeeds = (command, args, options) => async () => {
  const { code, output } = await run(command, args, { capture: true, ...options });
  return code === 0 ? null : `exit status ${code}\n${output}`;
};

const cli = join(root, 'packages', 'node', 'bin', 'tfjs-torch.js');

async function loadableBackends() {
  const loadable = [];
  for (const backend of ['cpu', 'wasm', 'tensorflow']) {
    const { code, output } = await run(node, [cli, 'backend', '--backend', backend], { capture: true });
    if (code === 0) loadable.push(backend);
    else if (options['with-tensorflow'] || backend !== 'tensorflow') record(`backend ${backend}`, false, 0, output);
    else note(`skip backend ${backend}: ${output.trim()}`);
  }
  return loadable;
}

/** One run over all of the backends, so that both cores have work to the end. */
async function runVitest(backends) {
  const report = join(root, 'node_modules', '.cache', 'tfjs-torch-counts.json');
  rmSync(report, { force: true });
  const start = performance.now();
  const reporters = ['--reporter=dot', `--reporter=${join(root, 'scripts', 'vitest-counts.mjs')}`];
  const { code } = await run(node, [bin('vitest/vitest.mjs'), 'run', ...reporters], {
    env: { ...process.env, TFJS_TORCH_TEST_BACKENDS: backends.join(), TFJS_TORCH_COUNTS: report },
  });
  const seconds = (performance.now() - start) / 1000;
  await check('vitest reports', async () => (existsSync(report) ? null : `exit status ${code}`));
  if (!existsSync(report)) return;
  const { projects, errors, slowest } = JSON.parse(readFileSync(report, 'utf8'));
  for (const [backend, counts] of Object.entries(projects)) {
    passed += counts.passed;
    failed += counts.failed;
    note(`vitest on ${backend}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    for (const file of counts.broken) record(`${file} on ${backend}`, false, 0, 'does not load, or a hook of it fails');
  }
  note(`vitest took ${seconds.toFixed(0)} s, the most of it: ${slowest.join(', ')}`);
  if (errors > 0) record('vitest', false, seconds, `${errors} errors outside of any test`);
  // Every backend has the same cases, if some skip a few: none may have been left out.
  const totals = backends.map((backend) => {
    const { passed = 0, failed = 0, skipped = 0 } = projects[backend] ?? {};
    return passed + failed + skipped;
  });
  await check('every backend has the same cases', async () =>
    totals.every((total) => total > 0 && total === totals[0]) ? null : `${backends}: ${totals}`,
  );
}

async function loadBuiltPackages(how) {
  const names = packages.map((folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name);
  const script = `
    const { createRequire } = await import('node:module');
    const require = createRequire(${JSON.stringify(join(root, 'package.json'))});
    for (const name of ${JSON.stringify(names)}) {
      const loaded = ${how}(name);
      if (Object.keys(await loaded).length === 0) throw new Error(name + ' exports nothing');
    }`;
  return succeeds(node, ['--input-type=module', '-e', script])();
}

/** A copy of core beside core must say so: it would keep a graph of its own over tfjs's one engine. */
async function loadSecondCopy() {
  const core = join(root, 'packages', 'core');
  const copy = join(core, 'node_modules', '.cache', 'copy');
  for (const name of ['dist', 'package.json']) cpSync(join(core, name), join(copy, name), { recursive: true });
  try {
    const paths = [
      [core, 'update.js'], // what optim imports of it
      [core, 'index.js'],
      [copy, 'update.js'],
    ].map(([folder, file]) => pathToFileURL(join(folder, 'dist', file)).href);
    const script = `for (const path of ${JSON.stringify(paths)}) await import(path).then(() => console.log('loaded'));`;
    const { code, output } = await run(node, ['--input-type=module', '-e', script], { capture: true });
    const [loaded, refused] = [output.match(/^loaded$/gm)?.length, output.includes('Two copies of @tfjs-torch/core')];
    const named = output.includes(core) && output.includes(copy);
    return code !== 0 && loaded === 2 && refused && named ? null : `exit status ${code}\n${output}`;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** A folder's program against the built declarations, as a user's compiler resolves them. */
async function checkConsumer(module, moduleResolution, folder = join('test', 'consumer')) {
  const args = [bin('typescript/bin/tsc'), '-p', folder, '--skipLibCheck', 'false'];
  const { output } = await run(node, [...args, '--module', module, '--moduleResolution', moduleResolution], {
    capture: true,
  });
  // tfjs's own declarations have errors without skipLibCheck; ours must have none.
  const ours = output.split('\n').filter((line) => /^\S/.test(line) && !line.startsWith('node_modules/'));
  return ours.length === 0 ? null : ours.join('\n');
}

async function runAll() {
  await Promise.all([
    check('biome', succeeds(node, [bin('@biomejs/biome/bin/biome'), 'check'])),
    check('types', succeeds(node, [bin('typescript/bin/tsc'), '--noEmit'])),
  ]);
  await check('sizes of bundles', checkSizes);
  await Promise.all([
    check('types for users, Bundler', () => checkConsumer('ESNext', 'Bundler')),
    check('types for users, NodeNext', () => checkConsumer('NodeNext', 'NodeNext')),
    check('types for users of optim alone', () =>
      checkConsumer('NodeNext', 'NodeNext', join('test', 'consumer', 'optim')),
    ),
  ]);
  await check('npm start', checkExample);
  for (const how of ['import', 'require']) await check(`built packages load with ${how}`, () => loadBuiltPackages(how));
  await check('a second copy of core is refused', loadSecondCopy);
  await check(
    'the program tfjs-torch',
    succeeds(join(root, 'node_modules', '.bin', 'tfjs-torch'), ['backend', '--backend', 'cpu']),
  );

  const backends = await loadableBackends();
  await runVitest(backends);

  const { code, output } = await npx([`--package=node@${otherNode}`, '--', 'node', '-p', 'process.execPath'], {
    capture: true,
  });
  const node24 = output.trim().split('\n').at(-1) ?? '';
  if (code !== 0) record(`node ${otherNode}`, false, 0, output);
  else {
    const smoked = backends.filter((backend) => backend !== 'tensorflow' || options['with-tensorflow']);
    for (const backend of smoked) {
      await check(
        `node ${otherNode} trains on ${backend}`,
        succeeds(node24, [join(root, 'scripts', 'smoke.mjs'), backend]),
      );
    }
  }
}

await check('set-up', async () => void (await setUp()));
if (failed === 0) await runAll();

console.log(`\n${lines.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
