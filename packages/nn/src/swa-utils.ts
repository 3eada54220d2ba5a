import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  AssertionError,
  bind,
  internal,
  no_grad,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { Module } from './module';
import { _BatchNorm } from './modules';

/** The new average from the last one, the model's value and how many were averaged before. */
export type AvgFn = (averaged: tf.Tensor, current: tf.Tensor, num_averaged: number) => tf.Tensor;
/** The same for all tensors of one dtype at once; writes the averages in place. */
export type MultiAvgFn = (averaged: tf.Tensor[], current: tf.Tensor[], num_averaged: number) => void;

function assertDecay(decay: number): void {
  if (decay < 0 || decay > 1)
    throw new ValueError(`Invalid decay value ${decay} provided. Please provide a value in [0,1] range.`);
}

const isFloat = (tensors: tf.Tensor[]) => tensors[0]?.dtype === 'float32';

/** `decay · average + (1 − decay) · value`, for all parameters at once. @throws ValueError for a decay outside [0, 1] */
export function get_ema_multi_avg_fn(decay = 0.999): MultiAvgFn {
  assertDecay(decay);
  return (averaged, current) => {
    averaged.forEach((p, i) => {
      if (isFloat(averaged)) p.lerp_(current[i]!, 1 - decay);
      else p.copy_(tf.add(tf.mul(p, decay), tf.mul(current[i]!, 1 - decay)));
    });
  };
}

/** The mean of all values so far, for all parameters at once. */
export function get_swa_multi_avg_fn(): MultiAvgFn {
  return (averaged, current, num_averaged) => {
    averaged.forEach((p, i) => {
      p.lerp_(current[i]!, 1 / (num_averaged + 1));
    });
  };
}

/** `decay · average + (1 − decay) · value`. @throws ValueError for a decay outside [0, 1] */
export function get_ema_avg_fn(decay = 0.999): AvgFn {
  assertDecay(decay);
  return (averaged, current) => tf.add(tf.mul(averaged, decay), tf.mul(current, 1 - decay));
}

/** The mean of all values so far. */
export function get_swa_avg_fn(): AvgFn {
  return (averaged, current, num_averaged) => tf.add(averaged, tf.div(tf.sub(current, averaged), num_averaged + 1));
}

export interface AveragedModelOptions {
  /** Accepted and ignored. */
  device?: unknown;
  avg_fn?: AvgFn | null;
  multi_avg_fn?: MultiAvgFn | null;
  /** Whether buffers are averaged too; else they are copied at each update. Default false. */
  use_buffers?: boolean;
}

/**
 * A copy of a model whose parameters are averages of the model's: `torch.optim.swa_utils.AveragedModel`, for stochastic
 * weight averaging (https://arxiv.org/abs/1803.05407) or exponential moving averages.
 */
export class AveragedModel<M extends Module = Module> extends Module {
  readonly module: M;
  declare n_averaged: tf.Tensor;
  readonly avg_fn: AvgFn | null;
  readonly multi_avg_fn: MultiAvgFn | null;
  readonly use_buffers: boolean;

  constructor(
    model: M,
    ...args: Args<
      [device: unknown, avg_fn: AvgFn | null, multi_avg_fn: MultiAvgFn | null, use_buffers: boolean],
      AveragedModelOptions
    >
  ) {
    super();
    const { device, avg_fn, multi_avg_fn, use_buffers } = bind(averagedModelSignature, [model, ...args]);
    if (avg_fn !== null && multi_avg_fn !== null)
      throw new AssertionError('Only one of avg_fn and multi_avg_fn should be provided');
    if (typeof device === 'function')
      throw new TypeError('AveragedModel: device is a function; name it: { multi_avg_fn: … }');
    this.module = model.deepcopy();
    this.register_buffer('n_averaged', tf.scalar(0, 'int32'));
    this.avg_fn = avg_fn;
    this.multi_avg_fn = multi_avg_fn;
    this.use_buffers = use_buffers;
  }

  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module as unknown as (...args: unknown[]) => ReturnType<M['forward']>)(...args);
  }

  /** Takes the parameters of `model` into the average; the first time copies them. */
  update_parameters(model: Module): void {
    const tensors = (m: Module) => [...m.parameters(), ...(this.use_buffers ? m.buffers() : [])];
    const current = tensors(model);
    const pairs = tensors(this.module)
      .slice(0, current.length)
      .map((averaged, i) => ({ averaged, current: current[i]! }));
    no_grad(() =>
      tf.tidy(() => {
        const count = this.n_averaged.dataSync()[0]!;
        if (count === 0) for (const { averaged, current } of pairs) averaged.copy_(current);
        else this.average(pairs, count);
        if (!this.use_buffers) {
          const buffers = [...model.buffers()];
          [...this.module.buffers()].forEach((b, i) => {
            b.copy_(buffers[i]!);
          });
        }
        internal.update(this.n_averaged, tf.scalar(count + 1, 'int32'));
      }),
    );
  }

  private average(pairs: { averaged: tf.Tensor; current: tf.Tensor }[], count: number): void {
    if (this.multi_avg_fn) {
      for (const dtype of new Set(pairs.map(({ averaged }) => averaged.dtype))) {
        const group = pairs.filter(({ averaged }) => averaged.dtype === dtype);
        const [averaged, current] = [group.map((p) => p.averaged), group.map((p) => p.current)];
        this.multi_avg_fn(averaged, current, count);
      }
      return;
    }
    const avg_fn = this.avg_fn ?? get_swa_avg_fn();
    for (const { averaged, current } of pairs) averaged.copy_(avg_fn(averaged, current, count));
  }
}
const averagedModelSignature: Signature<Required<AveragedModelOptions> & { model: Module }> = signature(
  'AveragedModel.__init__',
  'model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False',
);

/**
 * One pass over `loader` that sets the running statistics of the model's batch normalizations to those of all batches.
 * A batch is a tensor, or an array whose first element is the model's input.
 * @returns a promise if the loader can only be read asynchronously
 */
export function update_bn(loader: Iterable<unknown>, model: Module, device?: unknown): void;
export function update_bn(loader: AsyncIterable<unknown>, model: Module, device?: unknown): Promise<void>;
export function update_bn(
  loader: Iterable<unknown> | AsyncIterable<unknown>,
  model: Module,
  _device?: unknown,
): void | Promise<void> {
  const norms = [...model.modules()].filter((module) => module instanceof _BatchNorm);
  if (norms.length === 0) return Symbol.iterator in loader ? undefined : Promise.resolve();
  const momenta = norms.map((norm) => norm.momentum);
  const { training } = model;
  for (const norm of norms) {
    norm.reset_running_stats();
    norm.momentum = null;
  }
  model.train();
  const pass = (batch: unknown) => {
    const input = Array.isArray(batch) ? batch[0] : batch;
    no_grad(() => tf.tidy(() => void (model as unknown as (x: unknown) => unknown)(input)));
  };
  const finish = () => {
    norms.forEach((norm, i) => {
      norm.momentum = momenta[i]!;
    });
    model.train(training);
  };
  if (!(Symbol.iterator in loader)) {
    return (async () => {
      try {
        for await (const batch of loader) pass(batch);
      } finally {
        finish();
      }
    })();
  }
  try {
    for (const batch of loader) pass(batch);
  } finally {
    finish();
  }
}
