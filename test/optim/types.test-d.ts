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

// Each optimizer: a misspelt option, one of another type, one of another type in a group, no params.

// @ts-expect-error a typo
new Adadelta([w], { roh: 0.9 });
// @ts-expect-error another type
new Adadelta([w], { rho: '0.9' });
// @ts-expect-error another type in a group
new Adadelta([{ params: w, rho: '0.9' }]);
// @ts-expect-error no params
new Adadelta();
// @ts-expect-error a typo
new Adafactor([w], { beta2_decey: -0.8 });
// @ts-expect-error another type
new Adafactor([w], { eps: 1e-3 });
// @ts-expect-error another type in a group
new Adafactor([{ params: w, eps: 1e-3 }]);
// @ts-expect-error no params
new Adafactor();
// @ts-expect-error a typo
new Adagrad([w], { lr_decey: 0.1 });
// @ts-expect-error another type
new Adagrad([w], { initial_accumulator_value: [1] });
// @ts-expect-error another type in a group
new Adagrad([{ params: w, initial_accumulator_value: [1] }]);
// @ts-expect-error no params
new Adagrad();
// @ts-expect-error a typo
new Adam([w], { beta: [0.9, 0.99] });
// @ts-expect-error another type
new Adam([w], { amsgrad: 1 });
// @ts-expect-error another type in a group
new Adam([{ params: w, amsgrad: 1 }]);
// @ts-expect-error no params
new Adam();
// @ts-expect-error a typo
new AdamW([w], { weigth_decay: 0.1 });
// @ts-expect-error another type
new AdamW([w], { weight_decay: '0.1' });
// @ts-expect-error another type in a group
new AdamW([{ params: w, weight_decay: '0.1' }]);
// @ts-expect-error no params
new AdamW();
// @ts-expect-error a typo
new Adamax([w], { epsilon: 1e-8 });
// @ts-expect-error another type
new Adamax([w], { betas: 0.9 });
// @ts-expect-error another type in a group
new Adamax([{ params: w, betas: 0.9 }]);
// @ts-expect-error no params
new Adamax();
// @ts-expect-error a typo
new ASGD([w], { lambda: 1e-4 });
// @ts-expect-error another type
new ASGD([w], { t0: true });
// @ts-expect-error another type in a group
new ASGD([{ params: w, t0: true }]);
// @ts-expect-error no params
new ASGD();
// @ts-expect-error a typo
new LBFGS([w], { max_iters: 4 });
// @ts-expect-error another type
new LBFGS([w], { history_size: '10' });
// @ts-expect-error another type in a group
new LBFGS([{ params: w, history_size: '10' }]);
// @ts-expect-error no params
new LBFGS();
// @ts-expect-error a typo
new Muon([w], { ns_step: 5 });
// @ts-expect-error another type
new Muon([w], { ns_coefficients: [3.4, -4.7] });
// @ts-expect-error another type in a group
new Muon([{ params: w, ns_coefficients: [3.4, -4.7] }]);
// @ts-expect-error no params
new Muon();
// @ts-expect-error a typo
new NAdam([w], { momentum: 0.9 });
// @ts-expect-error another type
new NAdam([w], { momentum_decay: null });
// @ts-expect-error another type in a group
new NAdam([{ params: w, momentum_decay: null }]);
// @ts-expect-error no params
new NAdam();
// @ts-expect-error a typo
new RAdam([w], { decoupled: true });
// @ts-expect-error another type
new RAdam([w], { decoupled_weight_decay: null });
// @ts-expect-error another type in a group
new RAdam([{ params: w, decoupled_weight_decay: null }]);
// @ts-expect-error no params
new RAdam();
// @ts-expect-error a typo
new RMSprop([w], { rho: 0.9 });
// @ts-expect-error another type
new RMSprop([w], { centered: 'yes' });
// @ts-expect-error another type in a group
new RMSprop([{ params: w, centered: 'yes' }]);
// @ts-expect-error no params
new RMSprop();
// @ts-expect-error a typo
new Rprop([w], { step_size: [1e-6, 50] });
// @ts-expect-error another type
new Rprop([w], { etas: 0.5 });
// @ts-expect-error another type in a group
new Rprop([{ params: w, etas: 0.5 }]);
// @ts-expect-error no params
new Rprop();
// @ts-expect-error a typo
new SGD([w], { momentun: 0.9 });
// @ts-expect-error another type
new SGD([w], { nesterov: 1 });
// @ts-expect-error another type in a group
new SGD([{ params: w, nesterov: 1 }]);
// @ts-expect-error no params
new SGD();
// @ts-expect-error a typo
new SparseAdam([w], { amsgrad: true });
// @ts-expect-error another type
new SparseAdam([w], { maximize: null });
// @ts-expect-error another type in a group
new SparseAdam([{ params: w, maximize: null }]);
// @ts-expect-error no params
new SparseAdam();
