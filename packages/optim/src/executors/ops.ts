import * as tf from '@tensorflow/tfjs-core';
import * as internal from '@tfjs-torch/core/update';
import { type Algebra, fold } from '../rule/expr';
import type { Executor, Item, Job } from './index';
import { tensorOf } from './storage';

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

/** Larger parameters are updated alone: what a kernel does to them costs more than its call, and joining copies them. */
const ALONE = 16_384;
/** So many elements are joined at most: they should stay in the caches. */
const TOGETHER = 262_144;

/**
 * Splits parameters into lists that can be joined along their first axis without a reshape, which is a kernel of its own on
 * tfjs-node: their other axes are the same.
 */
function buckets(items: readonly Item[]): Item[][] {
  const all: Item[][] = [];
  const open = new Map<string, { items: Item[]; size: number }>();
  for (const item of items) {
    const { size, shape } = item.param;
    const key = shape.slice(1).join();
    const bucket = open.get(key);
    if (size === 0) continue; // wasm's kernels make one value of none
    if (size > ALONE) all.push([item]);
    else if (bucket && bucket.size + size <= TOGETHER) {
      bucket.items.push(item);
      bucket.size += size;
    } else {
      const opened = { items: [item], size };
      open.set(key, opened);
      all.push(opened.items);
    }
  }
  return all;
}

const asList = (t: tf.Tensor) => (t.rank === 0 ? tf.reshape(t, [1]) : t);
const join = (tensors: readonly tf.Tensor[]) => tf.concat(tensors.map(asList), 0);

/** Plain tfjs ops: the semantics that every other executor must equal, on every backend. Small parameters go together. */
export const ops: Executor = {
  name: 'ops',
  unavailable: () => null,
  run(jobs) {
    for (const job of jobs) update(job);
  },
};

function update({ traced: { outputs }, scalars, items }: Job): void {
  const names = Object.keys(outputs);
  tf.tidy(() => {
    const uniforms = new Map(Object.entries(scalars).map(([name, value]) => [name, tf.scalar(value)]));
    const evaluate = (tensor: (name: string) => tf.Tensor) =>
      fold(Object.values(outputs), {
        ...operations,
        leaf(op, name) {
          if (op === 'input') return tensor(name as string);
          return op === 'scalar' ? uniforms.get(name as string)! : tf.scalar(name as number);
        },
      });
    for (const bucket of buckets(items)) {
      tf.tidy(() => (bucket.length > 1 ? updateTogether(bucket) : updateAlone(bucket[0]!)));
    }

    function updateTogether(bucket: readonly Item[]) {
      const lengths = bucket.map(({ param }) => param.shape[0] ?? 1);
      const values = evaluate((name) => join(bucket.map((item) => tensorOf(item, name))));
      values.forEach((value, i) => {
        tf.split(value, lengths, 0).forEach((part, k) => {
          const target = tensorOf(bucket[k]!, names[i]!);
          internal.update(target, target.rank === 0 ? tf.reshape(part, []) : part);
        });
      });
    }

    function updateAlone(item: Item) {
      const values = evaluate((name) => tensorOf(item, name));
      // An update consumes its value: an input, or a second output of the same, gets a buffer of its own.
      const taken = new Set([item.param, item.grad, ...Object.values(item.slots)]);
      const own = values.map((value) => {
        if (taken.has(value)) return tf.mul(value, 1);
        taken.add(value);
        return value;
      });
      own.forEach((value, i) => {
        internal.update(tensorOf(item, names[i]!), value);
      });
    }
  });
}
