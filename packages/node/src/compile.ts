import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheRoot } from './cache';
import { reasonOf } from './tfjs-node';

const works = (command: string) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** The C++ compiler. @throws if there is none */
export function findCompiler(): string {
  const candidates = [process.env.CXX, 'c++', 'g++', 'clang++'].filter((name): name is string => !!name);
  const compiler = candidates.find(works);
  if (!compiler) throw new Error(`there is no C++ compiler (${candidates.join(', ')})`);
  return compiler;
}

/** What a program that failed has said that matters. */
export const lastError = (said: string) => {
  const lines = said.split('\n').map((line) => line.trim());
  return (
    lines.findLast((line) => /error\b.*: ./i.test(line)) ??
    lines.findLast((line) => line !== '' && !/^Node\.js v/.test(line))
  );
};

/** A library that is compiled where it is not in the cache. */
export interface Library {
  name: string;
  /** C++. */
  source: string;
  flags: readonly string[];
  /** A folder of headers, the same wherever it lies. */
  include?: string;
}

const pathOf = ({ name, source, flags }: Library) => {
  const hash = createHash('sha256')
    .update(JSON.stringify([source, flags]))
    .digest('hex')
    .slice(0, 16);
  return join(cacheRoot(), `native-${process.platform}-${process.arch}`, `${name}-${hash}.node`);
};

/** Sees to it that a library is in the cache; returns its path. @throws with the compiler's error */
export function build(library: Library): string {
  const path = pathOf(library);
  if (!existsSync(path)) compile(library, path);
  return path;
}

/** Loads a library; one that is in the cache and does not load is made anew, and stays there where that is impossible. */
export function loadLibrary<T>(library: Library, load: (path: string) => T): T {
  const path = pathOf(library);
  if (!existsSync(path)) compile(library, path);
  else {
    try {
      return load(path);
    } catch (unloadable) {
      try {
        compile(library, path);
      } catch (error) {
        throw new Error(`${reasonOf(unloadable)}; ${reasonOf(error)}`);
      }
    }
  }
  return load(path);
}

function compile({ source, flags, include }: Library, path: string) {
  const staging = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    try {
      const { status, stderr, error } = spawnSync(
        findCompiler(),
        ['-std=c++17', '-fPIC', '-shared', '-w', ...flags, '-x', 'c++', '-', '-o', staging],
        {
          input: source,
          encoding: 'utf8',
          stdio: ['pipe', 'ignore', 'pipe'],
          env: { ...process.env, ...(include && { CPLUS_INCLUDE_PATH: include }) },
        },
      );
      if (error) throw error;
      if (status !== 0) throw new Error(lastError(stderr) ?? `the compiler ended with ${status}`);
      renameSync(staging, path); // so that what a killed compiler leaves is never taken
    } finally {
      rmSync(staging, { force: true });
    }
  } catch (error) {
    throw new Error(`it cannot be compiled: ${reasonOf(error)}`);
  }
}
