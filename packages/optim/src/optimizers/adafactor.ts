import * as tf from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { oneElement } from '../checks';
import type { Declaration } from '../declaration';
import { stateTensor } from '../executors/storage';
import { FirstOrderOptimizer } from '../first-order-optimizer';
import { getOrMake } from '../get-or-make';
import type { ParamState } from '../optimizer';
import type { Host, OptimizerArgs } from '../options';
import { float, str } from '../python-repr';

/** The options of {@link Adafactor}. */
export interface AdafactorOptions {
  /** Of the decay, and the largest step relative to the parameter. @defaultValue 1e-2 */
  lr: number | tf.Tensor;
  /** The power of the step count that the second moment moves by; at most 0. @defaultValue -0.8 */
  beta2_decay: number;
  /**
   * The least mean of the row moments, whose square is the least second moment (`null`: 2^-23, float32's own); and the least
   * root mean square that is taken for a parameter's. @defaultValue [null, 1e-3]
   */
  eps: readonly [number | null, number];
  /** The largest root mean square of an update; at least 1. @defaultValue 1 */
  d: number;
  /** Decoupled. @defaultValue 0 */
  weight_decay: number;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
}

const adafactor: Declaration<Host<AdafactorOptions>> = {
  name: 'Adafactor',
  defaults: {
    lr: 1e-2,
    beta2_decay: -0.8,
    eps: [null, 1e-3],
    d: 1,
    weight_decay: 0,
    foreach: null,
    maximize: false,
  },
  positional: ['lr', 'beta2_decay', 'eps', 'd', 'weight_decay'],
  floats: ['d', 'weight_decay'],
  counted: true,
  older: { foreach: null },
  check(h, given) {
    oneElement('lr', given.lr);
    const refuse = (what: string, bound: string, value: number) => {
      throw new ValueError(`${what} should be ${bound} but is: ${str(value)}`);
    };
    const [eps1, eps2] = h.eps;
    if (!(h.lr >= 0)) refuse('Learning rate', '>= 0', h.lr);
    if (!(h.beta2_decay <= 0)) refuse('beta2_decay', '<= 0', h.beta2_decay);
    if (eps1 !== null && !(eps1 >= 0)) refuse('epsilon1', '>= 0', eps1);
    if (!(eps2 >= 0)) refuse('epsilon2', '>= 0', eps2);
    if (!(h.d >= 1)) throw new ValueError(`Clipping threshold d should be >= 1 but is: ${float(h.d)}`);
    if (!(h.weight_decay >= 0)) refuse('weight_decay', '>= 0', h.weight_decay);
  },
};

/** float32's machine epsilon: what torch takes for an eps1 of None. */
const machineEps = 2 ** -23;

/** Python's `max(x, least)`: a NaN gives `least`. */
const atLeast = (x: tf.Tensor, least: number) => tf.where(tf.greater(x, least), x, least);
/** torch's `clamp`: a NaN stays one. */
const clamped = (x: tf.Tensor, least: number) => tf.where(tf.less(x, least), least, x);
const rms = (t: tf.Tensor) => tf.div(tf.norm(t), Math.sqrt(t.size));
const with1 = (shape: readonly number[], axis: number) => shape.map((n, i) => (i === shape.length + axis ? 1 : n));

/**
 * Adafactor: `torch.optim.Adafactor`. Of a matrix (the last two axes) it keeps the second moment of rows and columns only.
 *
 *     β ← 1 − t^beta2_decay,  ρ ← min(lr, 1/√t),  α ← max(eps2, rms(p))·ρ,  p ← (1 − lr·weight_decay)·p
 *     rows ← β·rows + (1 − β)·mean(g², −1),  columns ← β·columns + (1 − β)·mean(g², −2)
 *     v ← rows·columns / max(mean(rows), eps1)        (a vector: β·v + (1 − β)·g²)
 *     u ← g / √max(v, eps1²),  p ← p − α·u / max(1, rms(u)/d)
 *
 * State: `step`, and `row_var`, `col_var` or, of vectors and scalars, `variance`. Shazeer and Stern, 2018
 * (arXiv:1804.04235); lr and eps1 are torch's, not the paper's.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class Adafactor extends FirstOrderOptimizer<AdafactorOptions> {
  static override readonly declaration = adafactor;
  constructor(
    ...args: OptimizerArgs<
      [lr: AdafactorOptions['lr'], beta2_decay: number, eps: AdafactorOptions['eps'], d: number, weight_decay: number],
      AdafactorOptions
    >
  ) {
    super(args);
  }

  protected override update() {
    for (const { p, grad, h } of this.withGradients()) {
      const state = getOrMake(this.state, p, () => this.#firstState(p));
      const t = (state.step as number) + 1;
      tf.tidy(() => updateParameter(p, h.maximize ? tf.neg(grad) : grad, state, t, h));
      state.step = t;
    }
  }

  #firstState(p: tf.Tensor): ParamState {
    const zeros = Object.entries(this.slots(p)).map(([key, shape]) => [key, stateTensor(tf.zeros(shape))]);
    return { step: 0, ...Object.fromEntries(zeros) };
  }

  protected override slots({ rank, shape }: tf.Tensor): Record<string, number[]> {
    return rank > 1 ? { row_var: with1(shape, -1), col_var: with1(shape, -2) } : { variance: shape };
  }
}

/** A state tensor, moved towards `end` by `weight` of the way. */
function moved(state: unknown, end: tf.Tensor, weight: number): tf.Tensor {
  const t = state as tf.Tensor;
  internal.update(t, internal.lerp(t, end, weight));
  return t;
}

function updateParameter(p: tf.Tensor, g: tf.Tensor, state: ParamState, t: number, h: Host<AdafactorOptions>) {
  const [eps1, eps2] = [h.eps[0] ?? machineEps, h.eps[1]];
  const weight = t ** h.beta2_decay;
  const alpha = tf.mul(atLeast(rms(p), eps2), Math.min(h.lr, 1 / Math.sqrt(t)));
  if (h.weight_decay !== 0) internal.update(p, tf.mul(p, 1 - h.lr * h.weight_decay));

  const square = tf.square(g);
  let v: tf.Tensor;
  if (p.rank > 1) {
    const rows = moved(state.row_var, tf.mean(square, -1, true), weight);
    const columns = moved(state.col_var, tf.mean(square, -2, true), weight);
    v = tf.div(tf.mul(rows, columns), clamped(tf.mean(rows, -2, true), eps1));
  } else v = moved(state.variance, square, weight);

  const u = tf.mul(tf.rsqrt(clamped(v, eps1 * eps1)), g);
  internal.update(p, tf.sub(p, tf.mul(u, tf.div(alpha, atLeast(tf.div(rms(u), h.d), 1)))));
}
