// A program that has only tfjs and optim: `.grad` is there, torch's other methods of a tensor are not.
import * as tf from '@tensorflow/tfjs-core';
import { StepLR } from '@tfjs-torch/lr-scheduler';
import { Adam, asTfjsOptimizer } from '@tfjs-torch/optim';

const v = tf.variable(tf.tensor1d([1, 2]));
const optimizer = new Adam([v], { lr: 1e-3 });
optimizer.minimize(() => tf.sum(tf.square(v)));
v.grad = tf.tensor1d([1, 1]);
const gradient: tf.Tensor | null = v.grad;
optimizer.step();
new StepLR(optimizer, 1).step();
const adapted: tf.Optimizer = asTfjsOptimizer(optimizer);
console.log(gradient, adapted);

// @ts-expect-error: it needs @tfjs-torch/core
v.requires_grad = true;
// @ts-expect-error: it needs @tfjs-torch/core
tf.sum(v).backward();
