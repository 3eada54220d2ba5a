import {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  ASGD,
  LBFGS,
  Muon,
  NAdam,
  type Optimizer,
  type ParamsInput,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  SparseAdam,
} from '@tfjs-torch/optim';

type Make = (params: ParamsInput<object>) => Optimizer<object>;

/** Every optimizer, with options that make it keep all the state it has: those of scripts/golden/parity.py. */
export const withAllState = {
  SGD: (params) => new SGD(params, { lr: 0.1, momentum: 0.9, weight_decay: 0.01 }),
  Adam: (params) => new Adam(params, { lr: 0.01, amsgrad: true }),
  AdamW: (params) => new AdamW(params, { lr: 0.01, weight_decay: 0.1 }),
  NAdam: (params) => new NAdam(params, { lr: 0.01 }),
  RAdam: (params) => new RAdam(params, { lr: 0.01 }),
  Adamax: (params) => new Adamax(params, { lr: 0.01 }),
  Adagrad: (params) => new Adagrad(params, { lr: 0.05, initial_accumulator_value: 0.1 }),
  Adadelta: (params) => new Adadelta(params, { lr: 1 }),
  RMSprop: (params) => new RMSprop(params, { lr: 0.01, momentum: 0.9, centered: true }),
  Rprop: (params) => new Rprop(params, { lr: 0.01 }),
  ASGD: (params) => new ASGD(params, { lr: 0.05, t0: 1 }),
  LBFGS: (params) => new LBFGS(params, { lr: 0.5, max_iter: 3, line_search_fn: 'strong_wolfe' }),
  Adafactor: (params) => new Adafactor(params, { lr: 0.01 }),
  Muon: (params) => new Muon(params, { lr: 0.01 }),
  SparseAdam: (params) => new SparseAdam(params, { lr: 0.05 }),
} satisfies Record<string, Make>;
