// Makes a fresh clone ready: packages, built dist, native backend. Each part is skipped when it is up to date.
// Only Node's built-ins here: it runs before there is a node_modules.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampPath = join(root, 'node_modules', '.cache', 'tfjs-torch-setup.json');

/** Runs a command in the repository; resolves to its exit status, and what it printed where `capture` is set. */
export function run(command, args, { cwd = root, env = process.env, capture = false } = {}) {
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32' && command !== process.execPath; // npx is a .cmd there
    const stdio = capture ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
    const child = spawn(command, args, { cwd, env, stdio, shell: windows });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** `npx --yes`, of the npm that runs us where there is one. */
export function npx(args, options) {
  const npm = process.env.npm_execpath;
  return npm && /npm-cli\.[cm]?js$/.test(npm)
    ? run(process.execPath, [npm, 'exec', '--yes', ...args], options)
    : run('npx', ['--yes', ...args], options);
}

const readJSON = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});

function remember(changes) {
  mkdirSync(dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, JSON.stringify({ ...readJSON(stampPath), ...changes }, null, 2));
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(`${relative(root, path)}\0`)
      .update(readFileSync(path))
      .update('\0');
  return hash.digest('hex');
}

export const packages = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')));

async function install(say) {
  const manifests = [root, join(root, 'examples'), ...packages].map((folder) => join(folder, 'package.json'));
  const settings = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'].map((name) => join(root, name));
  const hash = hashOf([...settings.filter((path) => existsSync(path)), ...manifests]);
  if (readJSON(stampPath).install === hash && existsSync(join(root, 'node_modules', '.pnpm'))) return;
  const { packageManager } = readJSON(join(root, 'package.json'));
  say(`Installing packages with ${packageManager} …`);
  // confirmModulesPurge: without a terminal it could not ask.
  const options = ['--frozen-lockfile', '--config.confirmModulesPurge=false'];
  const { code, output } = await npx([packageManager, 'install', ...options], { capture: true });
  if (code !== 0) throw new Error(`${packageManager} install failed:\n${output}`);
  remember({ install: hash });
}

const nameOf = (folder) => relative(root, folder);
const isBuilt = (folder) => ['index.js', 'index.d.ts'].every((file) => existsSync(join(folder, 'dist', file)));

async function build(say) {
  const shared = ['tsup.config.ts', 'tsconfig.json', 'scripts/declarations.mjs'].map((name) => join(root, name));
  const built = readJSON(stampPath).build ?? {};
  const hashes = Object.fromEntries(
    packages.map((folder) => {
      const sources = filesUnder(join(folder, 'src')).filter((path) => !path.endsWith('.test.ts'));
      return [nameOf(folder), hashOf([...shared, join(folder, 'package.json'), ...sources])];
    }),
  );
  const stale = packages.filter((folder) => built[nameOf(folder)] !== hashes[nameOf(folder)] || !isBuilt(folder));
  if (stale.length === 0) return;
  say(`Building ${stale.map(nameOf).join(', ')} …`);
  const runNode = async (what, args, options) => {
    const { code, output } = await run(process.execPath, args, { capture: true, ...options });
    if (code !== 0) throw new Error(`building ${what} failed:\n${output}`);
  };
  const tsup = join(root, 'node_modules', 'tsup', 'dist', 'cli-default.js');
  const bundle = async () => {
    for (const folder of stale) {
      const [, ...args] = readJSON(join(folder, 'package.json')).scripts.build.split(' ');
      await runNode(nameOf(folder), [tsup, ...args], { cwd: folder });
    }
  };
  const declare = () => runNode('declarations', [join(root, 'scripts', 'declarations.mjs')]);
  // Both to the end, so that neither is cut off when the other fails.
  const failure = (await Promise.allSettled([bundle(), declare()])).find(({ status }) => status === 'rejected');
  if (failure) throw failure.reason;
  remember({ build: hashes });
}

async function setUpBackend(say) {
  const { setUpTensorflow } = await import(pathToFileURL(join(root, 'packages', 'node', 'dist', 'index.js')).href);
  try {
    await setUpTensorflow({ say, again: false });
  } catch (error) {
    if (!error.remedy) throw error; // what cannot be had is reported by initBackend
  }
}

/** `backend: false` leaves the native backend as it is. */
export async function setUp({ backend = true, say = (line) => process.stderr.write(`${line}\n`) } = {}) {
  await install(say);
  await build(say);
  if (backend) await setUpBackend(say);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();
