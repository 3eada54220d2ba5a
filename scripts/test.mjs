// npm test: sets up what is missing, then runs all that CI runs. With --with-tensorflow the tensorflow backend has to be
// there, and the smoke on Node 24 covers it too; without it, it is skipped by name where it cannot be had.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { npx, packages, root, run, setUp } from './setup.mjs';

const { values: options } = parseArgs({ options: { 'with-tensorflow': { type: 'boolean', default: false } } });
const node = process.execPath;
const bin = (name) => join(root, 'node_modules', ...name.split('/'));
const results = join(root, 'node_modules', '.cache', 'tfjs-torch-tests');
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

async function runVitest(backend) {
  const report = join(results, `${backend}.json`);
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  const start = performance.now();
  const { code } = await run(node, [bin('vitest/vitest.mjs'), 'run', '--project', backend, ...reporters], {
    env: { ...process.env, TFJS_TORCH_TEST_BACKENDS: backend },
  });
  const seconds = (performance.now() - start) / 1000;
  let counts;
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    record(`vitest on ${backend}`, false, seconds, `no report, exit status ${code}`);
    return 0;
  }
  const { numTotalTests, numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = counts;
  passed += numPassedTests;
  failed += numFailedTests;
  note(
    `vitest on ${backend}: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped (${seconds.toFixed(1)} s)`,
  );
  // A file that does not load, or an error outside of any test.
  if (numFailedTests === 0 && (code !== 0 || numFailedTestSuites > 0)) {
    record(`vitest on ${backend} ends well`, false, seconds, `exit status ${code}`);
  }
  return numTotalTests;
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

await setUp();
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

await Promise.all([
  check('biome', succeeds(node, [bin('@biomejs/biome/bin/biome'), 'check'])),
  check('types', succeeds(node, [bin('typescript/bin/tsc'), '--noEmit'])),
]);
for (const how of ['import', 'require']) await check(`built packages load with ${how}`, () => loadBuiltPackages(how));
await check(
  'the program tfjs-torch',
  succeeds(join(root, 'node_modules', '.bin', 'tfjs-torch'), ['backend', '--backend', 'cpu']),
);

const backends = await loadableBackends();
const totals = [];
for (const backend of backends) totals.push(await runVitest(backend));
await check('every backend has the same cases', async () =>
  totals.every((total) => total > 0 && total === totals[0]) ? null : `${backends.map((b, i) => `${b} ${totals[i]}`)}`,
);

const { code, output } = await npx(['-p', `node@${otherNode}`, 'node', '-p', 'process.execPath'], { capture: true });
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

console.log(`\n${lines.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
