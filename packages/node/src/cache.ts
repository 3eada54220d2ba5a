import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** What lies outside node_modules, so that a reinstall finds it again. */
export function cacheRoot(): string {
  const base = process.env.XDG_CACHE_HOME || (process.platform === 'win32' && process.env.LOCALAPPDATA);
  return join(base || join(homedir(), '.cache'), 'tfjs-torch');
}

/** Written last, before the folder gets its name: names each file and its size. */
export interface Manifest {
  source: string;
  files: Record<string, number>;
}
const manifestName = 'manifest.json';

/** `null` where nothing is cached; what is wrong, where files are missing or of another size than when it was made. */
export function readCache(folder: string): Manifest | { damage: string } | null {
  if (!existsSync(folder)) return null;
  let manifest: Manifest;
  let files: Array<[string, number]>;
  try {
    manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8'));
    files = Object.entries(manifest.files);
  } catch {
    return { damage: `${manifestName} cannot be read` };
  }
  for (const [file, size] of files) {
    const stat = statSync(join(folder, file), { throwIfNoEntry: false });
    if (!stat) return { damage: `${file} is missing` };
    if (stat.size !== size) return { damage: `${file} has ${stat.size} bytes instead of ${size}` };
  }
  return manifest;
}

/**
 * Fills `folder` once: `build` writes into a staging folder beside it, returns the source's name, and the result is
 * renamed, so what a killed build left is never taken for good. Other processes wait for it; `wait` is told once.
 */
export async function fillCache(
  folder: string,
  build: (staging: string) => Promise<string>,
  wait: () => void,
): Promise<Manifest> {
  mkdirSync(dirname(folder), { recursive: true });
  const unlock = await lock(`${folder}.lock`, wait);
  try {
    const present = readCache(folder);
    if (present && !('damage' in present)) return present;
    removeOrphans(folder);
    const staging = join(dirname(folder), `${stagingPrefix(folder)}${process.pid}-${randomUUID()}`);
    mkdirSync(staging);
    try {
      const source = await build(staging);
      const manifest: Manifest = { source, files: sizes(staging) };
      writeFileSync(join(staging, manifestName), JSON.stringify(manifest, null, 2));
      rmSync(folder, { recursive: true, force: true });
      renameSync(staging, folder);
      return manifest;
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  } finally {
    unlock();
  }
}

const stagingPrefix = (folder: string) => `${basename(folder)}.staging-${hostname()}-`;

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

function removeOrphans(folder: string) {
  const prefix = stagingPrefix(folder);
  for (const name of readdirSync(dirname(folder))) {
    if (name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10))) {
      rmSync(join(dirname(folder), name), { recursive: true, force: true });
    }
  }
}

function sizes(folder: string): Record<string, number> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return Object.fromEntries(files.sort().map((name) => [name, statSync(join(folder, name)).size]));
}

const staleAfter = 30 * 60_000;

// It only saves work: were a lock taken away from a living process, both would build, and the last rename would win.
async function lock(path: string, wait: () => void): Promise<() => void> {
  for (let told = false; ; ) {
    try {
      writeFileSync(path, `${hostname()} ${process.pid}`, { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isStale(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) wait();
    told = true;
    await setTimeout(300);
  }
}

function isStale(path: string): boolean {
  try {
    const [host, pid] = readFileSync(path, 'utf8').split(' ');
    return Date.now() - statSync(path).mtimeMs > staleAfter || (host === hostname() && !!pid && !isAlive(Number(pid)));
  } catch {
    return false; // given back meanwhile
  }
}
