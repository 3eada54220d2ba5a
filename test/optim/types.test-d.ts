// Checked by `tsc`, never run: what must not compile does not.
import type { Parameter } from '@tfjs-torch/core';
import { StepLR } from '@tfjs-torch/lr-scheduler';
import {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  ASGD,
  defineOptimizer,
  LBFGS,
  Muon,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  SparseAdam,
} from '@tfjs-torch/optim';

declare const w: Parameter;
declare const named: Iterable<[string, Parameter]>;

new SGD([w]);
new SGD([w], 0.1);
new SGD([w], 0.1, 0.9, 0, 0, true);
new SGD([w], 0.1, { momentum: 0.9 });
new SGD(named, { lr: 0.1, fused: null });
new SGD({ params: [w], lr: 0.1 });
new SGD(
  [
    { params: w, lr: 0.1 },
    { params: named, name: 'head' },
  ],
  { momentum: 0.9 },
);
new Adam([w], { betas: [0.5, 0.9] });
new AdamW([w], 1e-3, [0.9, 0.99], { weight_decay: 0.1 });

// @ts-expect-error a typo
new SGD([w], 0.1, { momentun: 0.9 });
// @ts-expect-error a typo beside params
new SGD({ params: [w], lrr: 0.1 });
// @ts-expect-error another optimizer's option
new SGD([w], { betas: [0.9, 0.99] });
// @ts-expect-error no number
new SGD([w], '0.1');
// @ts-expect-error keyword-only
new SGD([w], 0.1, 0, 0, 0, false, true);
// @ts-expect-error no params
new SGD();
// @ts-expect-error one tensor is no list
new SGD(w);
// @ts-expect-error no tensors
new SGD([1, 2]);
// @ts-expect-error an option of the wrong type in a group
new SGD([{ params: w, lr: '0.1' }]);
// @ts-expect-error one beta
new Adam([w], { betas: [0.9] });
// @ts-expect-error AdamW's decay is always decoupled
new AdamW([w], { decoupled_weight_decay: false });

new Muon([w], 1e-3, { adjust_lr_fn: 'match_rms_adamw' });
// @ts-expect-error no such adjustment
new Muon([w], { adjust_lr_fn: 'fast' });
// @ts-expect-error Muon cannot maximize
new Muon([w], { maximize: true });
new Adafactor([w], { eps: [null, 1e-3], foreach: false });
// @ts-expect-error keyword-only
new Adafactor([w], 1e-2, -0.8, [null, 1e-3], 1, 0, true);
new SparseAdam([w], 1e-3, [0.9, 0.99], 1e-8, true);
// @ts-expect-error SparseAdam has no decay
new SparseAdam([w], { weight_decay: 0.1 });
const lbfgs = new LBFGS([w], 1, 20, null, { line_search_fn: 'strong_wolfe' });
const closed: number = lbfgs.step(() => 1);
const closedLater: Promise<number> = lbfgs.step(async () => 1);
// @ts-expect-error no such line search
new LBFGS([w], { line_search_fn: 'armijo' });

const adam = new Adam([w]);
adam.param_groups[0]!.lr = 0.5;
// @ts-expect-error no number
adam.param_groups[0]!.lr = 'fast';
const nothing: null = adam.step();
const loss: number = adam.step(() => 1);
const later: Promise<number> = adam.step(async () => 1);
const any: Optimizer<object> = adam;

new StepLR(adam, 30);
new StepLR(adam, 30, 0.5, { last_epoch: 3 });
new StepLR(adam, { step_size: 30 });
// @ts-expect-error step_size is required
new StepLR(adam);
// @ts-expect-error step_size is required
new StepLR(adam, { gamma: 0.5 });
// @ts-expect-error a typo
new StepLR(adam, { step_size: 30, gama: 0.5 });
// @ts-expect-error no optimizer
new StepLR([w], 30);

export { any, closed, closedLater, later, loss, nothing };

new NAdam([w], 1e-3, [0.9, 0.99], 1e-8, 0, 4e-3, true, { maximize: true });
new RAdam([w], { decoupled_weight_decay: true, diagnostics: true });
new Adamax([w], 1e-3, { foreach: null });
new Adagrad([w], 1e-2, 0.1, 0, 0.5);
new Adadelta([w], 1, 0.9);
new RMSprop([w], 1e-2, 0.9, 1e-8, 0, 0.5, true);
new Rprop([w], 1e-2, [0.5, 1.2], { step_sizes: [1e-6, 50] });
new ASGD([w], { t0: 10 });
new Adam([w]).load_state_dict({ state: {}, param_groups: [] }, { match: 'names', keep: ['lr'] });

// @ts-expect-error Rprop decays nothing
new Rprop([w], { weight_decay: 0.1 });
// @ts-expect-error keyword-only
new NAdam([w], 1e-3, [0.9, 0.99], 1e-8, 0, 4e-3, true, null);
// @ts-expect-error three rates of two
new Rprop([w], 1e-2, [0.5, 1.2, 2]);
// @ts-expect-error RMSprop has no betas
new RMSprop([w], { betas: [0.9, 0.99] });
// @ts-expect-error a way to match that does not exist
new Adam([w]).load_state_dict({ state: {}, param_groups: [] }, { match: 'name' });

const Mine = defineOptimizer({
  name: 'Mine',
  defaults: { lr: 0.1, betas: [0.9, 0.99], nesterov: false, fused: null, mode: 'a' },
  positional: ['lr', 'betas'],
  state: (h) => ({ m: h.betas[0], ...(h.nesterov && { n: 0 }) }),
  flags: (h) => ({ nesterov: h.nesterov }),
  scalars: ({ lr }, t) => ({ lr: lr / t }),
  update({ param, grad, m, n }, s, { nesterov }) {
    return { param: param.sub(grad.mul(s.lr)), m: m.add(1), ...(nesterov && { n: n.abs() }) };
  },
});
new Mine([w]);
new Mine([w], 0.1, [0.5, 0.9], { nesterov: true, fused: true, mode: 'b' });
new Mine({ params: [w], lr: 1 }).param_groups[0]!.betas[1].toFixed();
new StepLR(new Mine([w]), 30);
// @ts-expect-error a typo
new Mine([w], { betaz: [0.5, 0.9] });
// @ts-expect-error one beta
new Mine([w], { betas: [0.5] });
// @ts-expect-error keyword-only
new Mine([w], 0.1, [0.5, 0.9], true);
// @ts-expect-error no flag
new Mine([w], { fused: 1 });

const parts = { name: 'Mine', defaults: { lr: 0.1 }, scalars: ({ lr }: { lr: number }) => ({ lr }) } as const;
// @ts-expect-error a scalar that is not there
defineOptimizer({ ...parts, update: ({ param }, s) => ({ param: param.mul(s.rate) }) });
// @ts-expect-error a state that is not there
defineOptimizer({ ...parts, update: ({ param, m }) => ({ param: param.mul(m) }) });
// @ts-expect-error no parameter
defineOptimizer({ ...parts, state: () => ({ m: 0 }), update: ({ m }) => ({ m }) });
