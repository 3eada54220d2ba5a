export {
  Adam,
  type AdamOptions,
  AdamW,
  type AdamWOptions,
  Optimizer,
  type Param,
  type ParamGroup,
  type ParamGroupInput,
  type ParamsInput,
  register_optimizer_step_post_hook,
  register_optimizer_step_pre_hook,
  SGD,
  type SGDOptions,
} from '@tfjs-torch/optim';
export * as lr_scheduler from './lr-scheduler';
