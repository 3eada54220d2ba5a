export { log_softmax, relu, softmax } from './activation';
export {
  type AvgPool1dOptions,
  type AvgPool2dOptions,
  adaptive_avg_pool1d,
  adaptive_avg_pool2d,
  avg_pool1d,
  avg_pool2d,
  type OutputSize,
} from './avg-pooling';
export { type BatchNormFunctionOptions, batch_norm } from './batchnorm';
export {
  type Conv1dFunctionOptions,
  type Conv2dFunctionOptions,
  type ConvTranspose1dFunctionOptions,
  type ConvTranspose2dFunctionOptions,
  conv_transpose1d,
  conv_transpose2d,
  conv1d,
  conv2d,
} from './conv';
export { type DropoutOptions, dropout, dropout1d, dropout2d } from './dropout';
export {
  type BCEWithLogitsOptions,
  binary_cross_entropy,
  binary_cross_entropy_with_logits,
  type ElementLossOptions,
  type HuberLossFunctionOptions,
  type HuberLossOptions,
  huber_loss,
  type KLDivOptions,
  kl_div,
  l1_loss,
  mse_loss,
  type SmoothL1LossOptions,
  smooth_l1_loss,
} from './element-loss';
export { type EmbeddingFunctionOptions, embedding } from './embedding';
export { type LayerNormFunctionOptions, layer_norm } from './layernorm';
export { linear } from './linear';
export { type CrossEntropyOptions, cross_entropy, type NLLLossOptions, nll_loss } from './loss';
export {
  celu,
  elu,
  gelu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leaky_relu,
  logsigmoid,
  mish,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  softsign,
  tanh,
} from './nonlinear';
export { type PaddingMode, type PadOptions, pad } from './pad';
export { type MaxPool1dOptions, type MaxPool2dOptions, max_pool1d, max_pool2d } from './pooling';
export type { LossOptions, Reduction } from './reduction';
export { flatten } from './shape';
