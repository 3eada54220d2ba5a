import * as tf from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { oneElement } from '../checks';
import type { Declaration } from '../declaration';
import { stateTensor } from '../executors/storage';
import { FirstOrderOptimizer } from '../first-order-optimizer';
import { getOrMake } from '../get-or-make';
import { zeropower } from '../newton-schulz';
import type { Host, OptimizerArgs } from '../options';
import type { ParamGroup } from '../param-groups';
import { str } from '../python-repr';

/** The options of {@link Muon}. */
export interface MuonOptions {
  /** Learning rate. @defaultValue 1e-3 */
  lr: number | tf.Tensor;
  /** Decoupled. @defaultValue 0.1 */
  weight_decay: number;
  /** @defaultValue 0.95 */
  momentum: number;
  /** @defaultValue true */
  nesterov: boolean;
  /** Of the polynomial of one Newton-Schulz step. @defaultValue [3.4445, -4.775, 2.0315] */
  ns_coefficients: readonly [number, number, number];
  /** The least norm that the update is divided by. @defaultValue 1e-7 */
  eps: number;
  /** Newton-Schulz steps, fewer than 100. @defaultValue 5 */
  ns_steps: number;
  /**
   * How lr depends on the shape [A, B]: `'original'`, by √max(1, A/B), as `null`; `'match_rms_adamw'`, by 0.2·√max(A, B);
   * `'spectral_unclamped'`, by √(A/B). @defaultValue null
   */
  adjust_lr_fn: 'original' | 'match_rms_adamw' | 'spectral_unclamped' | null;
}

const original = (a: number, b: number) => Math.sqrt(Math.max(1, a / b));
const ratios: Record<string, (a: number, b: number) => number> = {
  original,
  match_rms_adamw: (a, b) => 0.2 * Math.sqrt(Math.max(a, b)),
  spectral_unclamped: (a, b) => Math.sqrt(a / b),
};

const muon: Declaration<Host<MuonOptions>> = {
  name: 'Muon',
  defaults: {
    lr: 1e-3,
    weight_decay: 0.1,
    momentum: 0.95,
    nesterov: true,
    ns_coefficients: [3.4445, -4.775, 2.0315],
    eps: 1e-7,
    ns_steps: 5,
    adjust_lr_fn: null,
  },
  positional: ['lr', 'weight_decay', 'momentum', 'nesterov', 'ns_coefficients', 'eps', 'ns_steps', 'adjust_lr_fn'],
  kinds: { adjust_lr_fn: 'string or null' },
  counted: false,
  older: {},
  check(h, given) {
    oneElement('lr', given.lr);
    for (const [what, value] of [
      ['Learning rate', h.lr],
      ['momentum', h.momentum],
      ['weight decay', h.weight_decay],
    ] as const) {
      if (!(value >= 0)) throw new ValueError(`${what} should be >= 0 but is: ${str(value)}`);
    }
    if (h.adjust_lr_fn !== null && !Object.hasOwn(ratios, h.adjust_lr_fn)) {
      throw new ValueError(`Adjust learning rate function ${h.adjust_lr_fn} is not supported`);
    }
  },
};

/**
 * Muon: `torch.optim.Muon`, for the matrices of hidden layers.
 *
 *     buffer ← momentum·buffer + (1 − momentum)·g
 *     u ← NewtonSchulz(nesterov ? (1 − momentum)·g + momentum·buffer : buffer)
 *     p ← (1 − lr·weight_decay)·p − lr·ratio(shape)·u
 *
 * Parameters are 2-D. State: `momentum_buffer`. Jordan, 2024 (kellerjordan.github.io/posts/muon).
 * @throws ValueError for an option out of range or a parameter that is no matrix, with torch's text.
 */
export class Muon extends FirstOrderOptimizer<MuonOptions> {
  static override readonly declaration = muon;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: MuonOptions['lr'],
        weight_decay: number,
        momentum: number,
        nesterov: boolean,
        ns_coefficients: MuonOptions['ns_coefficients'],
        eps: number,
        ns_steps: number,
        adjust_lr_fn: MuonOptions['adjust_lr_fn'],
      ],
      MuonOptions
    >
  ) {
    super(args);
  }

  protected override checkGroups(groups: readonly ParamGroup[]): void {
    for (const { shape } of groups.flatMap(({ params }) => params)) {
      if (shape.length !== 2) {
        throw new ValueError(
          `Muon only supports 2D parameters whereas we found a parameter with size: torch.Size([${shape.join(', ')}])`,
        );
      }
    }
  }

  protected override update() {
    const all = this.withGradients();
    for (const { p, h } of all) {
      if (p.rank !== 2) throw new ValueError('Param gradient must be a 2D matrix');
      if (h.ns_steps >= 100) throw new ValueError('Number of steps must be less than 100 for computational efficiency');
    }
    for (const { p, grad, h } of all) {
      const { momentum_buffer } = getOrMake(this.state, p, () => ({
        momentum_buffer: stateTensor(tf.zerosLike(p)),
      }));
      tf.tidy(() => {
        const buffer = momentum_buffer as tf.Tensor;
        internal.update(buffer, internal.lerp(buffer, grad, 1 - h.momentum));
        const u = zeropower((h.nesterov ? internal.lerp(grad, buffer, h.momentum) : buffer) as tf.Tensor2D, h);
        const ratio = ratios[h.adjust_lr_fn ?? 'original']!(p.shape[0]!, p.shape[1]!);
        internal.update(p, tf.add(tf.mul(p, 1 - h.lr * h.weight_decay), tf.mul(u, -h.lr * ratio)));
      });
    }
  }

  protected override slots(p: tf.Tensor) {
    return { momentum_buffer: p.shape };
  }
}
