export type { Executor, Item } from './executors';
export { referenceStep } from './executors/reference';
export type { RemovableHandle } from './hooks';
export {
  Optimizer,
  type ParamState,
  register_optimizer_step_post_hook,
  register_optimizer_step_pre_hook,
  type StateDict,
  type StepPostHook,
  type StepPreHook,
} from './optimizer';
export { Adam, type AdamOptions, adam } from './optimizers/adam';
export { AdamW, type AdamWOptions, adamw } from './optimizers/adamw';
export { SGD, type SGDOptions, sgd } from './optimizers/sgd';
export { type Param, type ParamGroup, type ParamGroupInput, type ParamsInput, required } from './param-groups';
