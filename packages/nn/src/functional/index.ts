export { log_softmax, relu, softmax } from './activation';
export { type BatchNormFunctionOptions, batch_norm } from './batchnorm';
export { type Conv2dFunctionOptions, conv2d } from './conv';
export { type DropoutOptions, dropout } from './dropout';
export { type EmbeddingFunctionOptions, embedding } from './embedding';
export { linear } from './linear';
export {
  type CrossEntropyOptions,
  cross_entropy,
  type ElementLossOptions,
  type LossOptions,
  l1_loss,
  mse_loss,
  type NLLLossOptions,
  nll_loss,
  type Reduction,
} from './loss';
export { type MaxPool2dOptions, max_pool2d } from './pooling';
export { flatten } from './shape';
