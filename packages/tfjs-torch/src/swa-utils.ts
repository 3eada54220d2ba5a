export { SWALR, type SWALROptions } from '@tfjs-torch/lr-scheduler';
export {
  AveragedModel,
  type AveragedModelOptions,
  get_ema_avg_fn,
  get_ema_multi_avg_fn,
  get_swa_avg_fn,
  get_swa_multi_avg_fn,
  update_bn,
} from '@tfjs-torch/nn/swa-utils';
