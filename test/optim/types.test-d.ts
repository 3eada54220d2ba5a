// Checked by `tsc`, never run: what must not compile does not.
import type { Parameter } from '@tfjs-torch/core';
import { StepLR } from '@tfjs-torch/lr-scheduler';
import { Adafactor, Adam, AdamW, LBFGS, Muon, type Optimizer, SGD } from '@tfjs-torch/optim';

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
