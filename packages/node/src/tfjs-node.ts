import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

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
  find(packageJson: string): string;
}
const preGypName = '@mapbox/node-pre-gyp';

/** Where tfjs-node itself looks for its binding; there need not be one. */
export const packagedBinding = (packageJson: string): string =>
  (createRequire(packageJson)(preGypName) as NodePreGyp).find(packageJson);

/** The first of `bindings` that loads, or null; what the others say goes to `failures`. */
export function firstThatLoads(packageJson: string, bindings: string[], failures: string[]): string | null {
  // Both are read when the library is loaded. Without oneDNN, TensorFlow's default on AMD, convolutions of few channels
  // take up to ten times as long.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  for (const path of bindings.filter((candidate) => existsSync(candidate))) {
    try {
      createRequire(packageJson)(path);
      return path;
    } catch (error) {
      failures.push(`${path} does not load: ${reasonOf(error)}`);
    }
  }
  return null;
}

/** Loads tfjs-node with a binding that may lie elsewhere than in its own folder, the only place it knows. */
export function loadTfjsNode(packageJson: string, binding: string) {
  polyfillUtil();
  const require = createRequire(packageJson);
  const preGyp: NodePreGyp = require(preGypName);
  const preGypModule = require.cache[require.resolve(preGypName)];
  if (!preGypModule) throw new Error(`${preGypName} is not in the module cache`);
  preGypModule.exports = {
    ...preGyp,
    find: (path: string) => (path === packageJson ? binding : preGyp.find(path)),
  };
  try {
    if (require(dirname(packageJson)).Tensor !== tf.Tensor) {
      const reason = 'tfjs-node brings a second copy of @tensorflow/tfjs-core';
      throw new Unavailable(reason, `Install one version of it (${tf.version_core}) for the whole project.`);
    }
  } finally {
    preGypModule.exports = preGyp;
  }
}
