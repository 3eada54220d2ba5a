// Checked by `pnpm types`; it is not run.
import type * as tf from '@tensorflow/tfjs-core';
import * as nn from '@tfjs-torch/nn';
import { Adam, type Optimizer } from '@tfjs-torch/optim';
import {
  type Comparison,
  compare,
  parse,
  record,
  reference,
  replay,
  type Trace,
  teacherForced,
} from '@tfjs-torch/parity';

const model = new nn.Linear(2, 1);
const optimizer = new Adam(model.parameters());
const golden: Trace = parse('');
const loss = (x: tf.Tensor, y: tf.Tensor) => model(x).sub(y).sum();
const batches: [tf.Tensor, tf.Tensor][] = [];

const trace: Trace = record(model, optimizer, loss, batches, { keep: (step) => step > 1 });
record([['weight', model.weight]], optimizer, loss, batches);
const compared: Comparison = compare(teacherForced(golden, model, optimizer, loss), golden, { only: ['loss'] });
const near: boolean = compared.within({ loss: 1e-6, grad: 1e-5 }) && compared.within(1);
const own: Optimizer<object> = optimizer;
replay(golden, model, own, { step: () => own.step() });
reference(golden, Adam);
console.log(trace, near);

// @ts-expect-error: batches of another shape than the loss takes
record(model, optimizer, loss, [[1]]);
// @ts-expect-error: a typo
record(model, optimizer, loss, batches, { kep: () => true });
// @ts-expect-error: a loss is a tensor
teacherForced(golden, model, optimizer, () => 'loss');
// @ts-expect-error: no such kind
compare(trace, golden, { only: ['weights'] });
// @ts-expect-error: no such kind
compared.within({ weights: 1 });
// @ts-expect-error: an optimizer without a rule
reference(golden, nn.Linear);
// @ts-expect-error: traces are read-only
trace.steps[0]!.loss = 1;
