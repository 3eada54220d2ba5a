import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

export type TfjsNodePackage = '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';

/** Why a backend cannot be used, and what to do to get it. */
export class Unavailable extends Error {
  constructor(
    readonly reason: string,
    readonly remedy: string,
  ) {
    super(`${reason}. ${remedy}`);
  }
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).trim();

const ownRequire = createRequire(import.meta.url);

/** `package.json` of an installed package: a dependency of ours, or of the program that runs. */
export function findPackage(name: string): string | null {
  for (const require of [ownRequire, createRequire(join(process.cwd(), 'package.json'))]) {
    try {
      return require.resolve(`${name}/package.json`);
    } catch {
      // not there: try the next
    }
  }
  return null;
}

export const packageVersion = (packageJson: string): string => JSON.parse(readFileSync(packageJson, 'utf8')).version;

// Node 23 removed both; tfjs-node 4.22.0 calls them (tensorflow/tfjs issue 8609).
function polyfillUtil() {
  const util = createRequire(import.meta.url)('node:util');
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

interface NodePreGyp {
  find(packageJson: string, options?: object): string;
}

/**
 * Loads tfjs-node with the first of its bindings that loads: the one in the package, then `extraBindings`.
 * Returns the binding's path. tfjs-node itself only knows of a binding inside its own folder.
 */
export function loadTfjsNode(packageName: TfjsNodePackage, extraBindings: string[], remedy: string): string {
  const packageJson = findPackage(packageName);
  if (!packageJson) throw new Unavailable(`${packageName} is not installed`, remedy);
  polyfillUtil();
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

  const require = createRequire(packageJson);
  const preGyp: NodePreGyp = require('@mapbox/node-pre-gyp');
  const find = preGyp.find;
  const binding = loadBinding(require, [find(packageJson), ...extraBindings], remedy);
  preGyp.find = (path, options) => (path === packageJson ? binding : find(path, options));
  try {
    if (require(packageName).Tensor !== tf.Tensor) {
      const reason = `${packageName} brings a second copy of @tensorflow/tfjs-core`;
      throw new Unavailable(reason, `Install one version of it (${tf.version_core}) for the whole project.`);
    }
  } finally {
    preGyp.find = find;
  }
  return binding;
}

/** `find` of node-pre-gyp warns nobody: what it returns need not exist. */
function loadBinding(require: NodeJS.Require, candidates: string[], remedy: string): string {
  const failures: string[] = [];
  for (const path of candidates.filter((candidate) => existsSync(candidate))) {
    try {
      require(path);
      return path;
    } catch (error) {
      failures.push(`${path} does not load: ${reasonOf(error)}`);
    }
  }
  throw new Unavailable(failures.join('; ') || 'the native binding of tfjs-node is not built', remedy);
}
