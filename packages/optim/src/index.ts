export type { RemovableHandle } from '@tfjs-torch/core/base';
/** What `.grad` is; importing this package gives it to every tensor of tfjs. */
export type { WithData } from '@tfjs-torch/core/update';
export { type DefinedOptimizer, defineOptimizer, type OptimizerDefinition } from './define-optimizer';
export {
  type Executor,
  type ExecutorChoice,
  type ExecutorName,
  type Item,
  type Job,
  registerExecutor,
  setExecutor,
} from './executors';
export { referenceState, referenceStep } from './executors/reference';
export * as internal from './internal';
export {
  type LoadOptions,
  Optimizer,
  type ParamState,
  register_optimizer_step_post_hook,
  register_optimizer_step_pre_hook,
  type StateDict,
  type StepPostHook,
  type StepPreHook,
} from './optimizer';
export { Adadelta, type AdadeltaOptions, adadelta } from './optimizers/adadelta';
export { Adafactor, type AdafactorOptions } from './optimizers/adafactor';
export { Adagrad, type AdagradOptions, adagrad } from './optimizers/adagrad';
export { Adam, type AdamOptions, adam } from './optimizers/adam';
export { Adamax, type AdamaxOptions, adamax } from './optimizers/adamax';
export { AdamW, type AdamWOptions, adamw } from './optimizers/adamw';
export { ASGD, type ASGDOptions, asgd } from './optimizers/asgd';
export { LBFGS, type LBFGSOptions } from './optimizers/lbfgs';
export { Muon, type MuonOptions } from './optimizers/muon';
export { NAdam, type NAdamOptions, nadam } from './optimizers/nadam';
export { RAdam, type RAdamOptions, radam } from './optimizers/radam';
export { RMSprop, type RMSpropOptions, rmsprop } from './optimizers/rmsprop';
export { Rprop, type RpropOptions, rprop } from './optimizers/rprop';
export { SGD, type SGDOptions, sgd } from './optimizers/sgd';
export { SparseAdam, type SparseAdamOptions, sparseAdam } from './optimizers/sparse-adam';
export { type Param, type ParamGroup, type ParamGroupInput, type ParamsInput, required } from './param-groups';
export type { Expr } from './rule/expr';
export type { RuleOptimizer } from './rule-optimizer';
export {
  asTfjsOptimizer,
  parametersOf,
  registerTfjsOptimizers,
  TfjsOptimizer,
  type TrainableModel,
} from './tfjs-optimizer';
