import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core/base';
import type { Trace } from '../rule/rule';
import { cpu } from './cpu';
import { ops } from './ops';
import { mayOverwrite, stateVersion } from './storage';
import { wasm } from './wasm';

/** One parameter to be updated, its gradient, and its state by slot: float32, all of the parameter's shape. */
export interface Item {
  readonly param: tf.Tensor;
  readonly grad: tf.Tensor;
  readonly slots: Readonly<Record<string, tf.Tensor>>;
}

/** Parameters that are updated with the same trace and scalars. */
export interface Job {
  readonly traced: Trace;
  readonly scalars: Readonly<Record<string, number>>;
  readonly items: readonly Item[];
}

/** Runs traced rules. All executors give the same bits as `ops`. */
export interface Executor {
  readonly name: string;
  /** Null where it can run on the current tfjs backend, else the reason why it cannot. */
  unavailable(): string | null;
  /**
   * Updates all parameters of a step in one go: the new values go into `param` and the slots. The jobs have been checked
   * (`checkJobs`), and no parameter stands in them twice. What may be written in place is said in `storage.ts`.
   */
  run(jobs: readonly Job[]): void;
}

/** The executors that are part of this project. */
export type ExecutorName = 'ops' | 'cpu' | 'wasm' | 'native';

/** Which executor runs, and why. */
export interface ExecutorChoice {
  readonly name: string;
  readonly reason: string;
  toString(): string;
}

/** The fused ones, each for the backends that it says. */
const fused = new Map<string, Executor>([cpu, wasm].map((executor) => [executor.name, executor]));

/** Adds a fused executor, or replaces the one of its name. It is chosen wherever it is available. */
export function registerExecutor(executor: Executor): void {
  fused.set(executor.name, executor);
}

let asked: ExecutorName | null = null;

function named(name: ExecutorName): Executor {
  if (name === ops.name) return ops;
  const found = fused.get(name);
  if (!found) {
    const known = [ops.name, ...fused.keys()].map((n) => `'${n}'`).join(', ');
    throw new RuntimeError(`There is no executor '${name}': those that are loaded are ${known}`);
  }
  const reason = found.unavailable();
  if (reason !== null) throw new RuntimeError(`The executor '${name}' cannot run: ${reason}`);
  return found;
}

/**
 * Chooses what runs the update rules of all optimizers: `'ops'` (plain tfjs operations), or a fused executor. `null`, the
 * default, takes the fused one of the tfjs backend where there is one. All give the same bits. An optimizer's `executor`
 * says what it runs, and why; its option `fused: false` means `'ops'` whatever was chosen here.
 * @throws RuntimeError for one that cannot run on the current backend, with the reason
 */
export function setExecutor(name: ExecutorName | null): void {
  if (name !== null) named(name);
  asked = name;
}

/** The executor for parameters with this `fused` option. @throws RuntimeError if what was asked for cannot be had */
export function chooseExecutor(wanted: boolean | null | undefined): { executor: Executor; reason: string } {
  if (wanted === false) return { executor: ops, reason: 'fused: false' };
  if (asked !== null) return { executor: named(asked), reason: 'chosen by setExecutor' };
  const reasons: string[] = [];
  for (const executor of fused.values()) {
    const reason = executor.unavailable();
    if (reason === null) return { executor, reason: `the fused one for the backend '${tf.getBackend()}'` };
    reasons.push(`${executor.name}: ${reason}`);
  }
  return { executor: ops, reason: `no fused executor can run (${reasons.join('; ')})` };
}

/** By list of items: the version of state at which theirs was checked, and all ours. */
const checked = new WeakMap<readonly Item[], number>();

/** Checks what an executor is given, before anything changes. */
export function checkJobs(jobs: readonly Job[]): void {
  for (const { traced, items } of jobs) {
    const version = stateVersion();
    const known = checked.get(items) === version;
    let ours = true;
    for (const { param, grad, slots } of items) {
      check('parameter', param, param);
      check('gradient', grad, param);
      if (known) continue;
      for (const name of traced.slots) {
        const state = slots[name]!;
        check(name, state, param);
        ours &&= mayOverwrite(state);
      }
    }
    if (ours) checked.set(items, version);
  }
}

function check(what: string, t: tf.Tensor, param: tf.Tensor): void {
  const { shape } = t;
  if (t.isDisposed) throw new RuntimeError(`The ${what} of shape [${shape}] is disposed`);
  if (t.dtype !== 'float32') throw new RuntimeError(`The ${what} must be float32, but is ${t.dtype}`);
  if (t.size !== param.size || shape.length !== param.shape.length || !tf.util.arraysEqual(shape, param.shape)) {
    throw new RuntimeError(`The ${what} has shape [${shape}], the parameter has [${param.shape}]`);
  }
}
