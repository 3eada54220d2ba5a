import type { OptimizerArgs } from '../options';
import { Adam, type AdamOptions, type AdamPositional, adam } from './adam';

/** As {@link AdamOptions}: the decay is always decoupled. */
export type AdamWOptions = Omit<AdamOptions, 'decoupled_weight_decay'>;

/** The update rule of {@link AdamW}. */
export const adamw: typeof adam = {
  ...adam,
  name: 'AdamW',
  defaults: { ...adam.defaults, weight_decay: 1e-2, decoupled_weight_decay: true },
  forced: { decoupled_weight_decay: true },
};

/**
 * Adam with decoupled weight decay: `torch.optim.AdamW`. The parameter is multiplied by 1 − lr·weight_decay;
 * neither moment sees the decay. Loshchilov and Hutter, 2017 (arXiv:1711.05101).
 */
export class AdamW extends Adam {
  static override readonly rule = adamw;
  constructor(...args: OptimizerArgs<AdamPositional, AdamWOptions>) {
    super(...args);
  }
}
