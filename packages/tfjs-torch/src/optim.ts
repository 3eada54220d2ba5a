export * as lr_scheduler from '@tfjs-torch/lr-scheduler';
export {
  Adam,
  AdamW,
  Optimizer,
  register_optimizer_step_post_hook,
  register_optimizer_step_pre_hook,
  SGD,
} from '@tfjs-torch/optim';
