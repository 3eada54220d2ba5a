import type { Expr } from './expr';

// Sentences that several of torch's rules share: options → flags and scalars, and the expressions that use them.

interface Decay {
  lr: number;
  weight_decay: number;
  maximize: boolean;
  decoupled_weight_decay?: boolean;
}

export const decayFlags = (h: Decay) => ({
  maximize: h.maximize,
  decay: h.weight_decay !== 0,
  decoupled: h.decoupled_weight_decay === true,
});
export const decayScalars = (h: Decay) => ({ weight_decay: h.weight_decay, keep: 1 - h.lr * h.weight_decay });

/** maximize, then weight decay: the parameter and the gradient that the rule goes on with. */
export function prepare(
  { param, grad }: Readonly<Record<'param' | 'grad', Expr>>,
  s: Readonly<Record<'weight_decay' | 'keep', Expr>>,
  flags: ReturnType<typeof decayFlags>,
): [param: Expr, grad: Expr] {
  const g = flags.maximize ? grad.neg() : grad;
  if (!flags.decay) return [param, g];
  return flags.decoupled ? [param.mul(s.keep), g] : [param, g.add(param.mul(s.weight_decay))];
}

interface Moments {
  betas: readonly [number, number];
}

export const momentFlags = (h: Moments) => ({ nearGrad: 1 - h.betas[0] >= 0.5 });
export const momentScalars = ({ betas: [b1, b2] }: Moments) => ({
  w1: 1 - b1 < 0.5 ? 1 - b1 : -b1,
  b2,
  w2: 1 - b2,
});

/** torch.lerp: starts from the nearer end, so that a weight of 1 (beta1 = 0) gives the gradient exactly. */
export const firstMoment = (m: Expr, g: Expr, s: Readonly<Record<'w1', Expr>>, flags: { nearGrad: boolean }) =>
  (flags.nearGrad ? g : m).add(g.sub(m).mul(s.w1));

/** v·β2 + ((1 − β2)·g)·g, multiplied in the order of torch.addcmul. */
export const secondMoment = (v: Expr, g: Expr, s: Readonly<Record<'b2' | 'w2', Expr>>) =>
  v.mul(s.b2).add(g.mul(s.w2).mul(g));
