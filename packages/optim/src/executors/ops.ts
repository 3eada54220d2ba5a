import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';
import { type Algebra, fold } from '../rule/expr';
import type { Executor } from './index';

const operations: Omit<Algebra<tf.Tensor>, 'leaf'> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  // wasm's Maximum loses a NaN, torch's does not.
  max: (a, b) => tf.where(tf.isNaN(a!), a!, tf.where(tf.greater(a!, b!), a!, b!)),
  min: (a, b) => tf.where(tf.isNaN(a!), a!, tf.where(tf.less(a!, b!), a!, b!)),
  gt: tf.greater,
  where: tf.where,
  neg: tf.neg,
  sqrt: tf.sqrt,
  abs: tf.abs,
  // tfjs-node's Sign of NaN is NaN, torch's is 0.
  sign: (a) => tf.sub(tf.cast(tf.greater(a!, 0), 'float32'), tf.cast(tf.less(a!, 0), 'float32')),
};

/** Plain tfjs ops: the semantics that every other executor must equal, on every backend. */
export const ops: Executor = ({ outputs }, scalars, items) => {
  const names = Object.keys(outputs);
  tf.tidy(() => {
    const uniforms = new Map(Object.entries(scalars).map(([name, value]) => [name, tf.scalar(value)]));
    for (const item of items) {
      tf.tidy(() => {
        const values = fold(Object.values(outputs), {
          ...operations,
          leaf(op, name) {
            if (op === 'input') return item[name]!;
            return op === 'scalar' ? uniforms.get(name as string)! : tf.scalar(name as number);
          },
        });
        const copies = values.map((value, i) => (values.indexOf(value) < i ? tf.mul(value, 1) : null));
        values.forEach((value, i) => {
          // An update consumes its value: a second output of the same gets a buffer of its own, so that memory is constant.
          internal.update(item[names[i]!]!, values.indexOf(value) < i ? copies[i]! : value);
        });
      });
    }
  });
};
