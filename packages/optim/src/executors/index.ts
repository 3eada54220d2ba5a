import * as tf from '@tensorflow/tfjs-core';
import type { Trace } from '../rule/rule';
import { ops } from './ops';

/** One parameter to be updated, its gradient, and its state by slot. */
export interface Item {
  readonly param: tf.Tensor;
  readonly grad: tf.Tensor;
  readonly slots: Readonly<Record<string, tf.Tensor>>;
}

/** Runs a traced rule over the parameters that share its scalars, and writes the results into `param` and the slots. */
export type Executor = (trace: Trace, scalars: Readonly<Record<string, number>>, items: readonly Item[]) => void;

/** Fused kernels by backend name; a backend without one runs `ops`. */
const fused = new Map<string, Executor>();

export const hasFused = (backend = tf.getBackend()): boolean => fused.has(backend);
export const executor = (backend = tf.getBackend()): Executor => fused.get(backend) ?? ops;
