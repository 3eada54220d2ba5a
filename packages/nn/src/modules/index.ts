export {
  CELU,
  ELU,
  GELU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmax2d,
  Softplus,
  Softsign,
  Tanh,
} from './activation';
export { _BatchNorm, BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './batchnorm';
export { ModuleDict, ModuleList, Sequential } from './container';
export {
  _ConvNd,
  Conv1d,
  type Conv1dOptions,
  Conv2d,
  type Conv2dOptions,
  ConvTranspose1d,
  type ConvTranspose1dOptions,
  ConvTranspose2d,
  type ConvTranspose2dOptions,
} from './conv';
export { Dropout, Dropout1d, Dropout2d } from './dropout';
export { Embedding, type EmbeddingOptions } from './embedding';
export { Flatten, Unflatten } from './flatten';
export { LayerNorm, type LayerNormOptions } from './layernorm';
export { Identity, Linear, type LinearOptions } from './linear';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  NLLLoss,
  SmoothL1Loss,
} from './loss';
export { CircularPad2d, ConstantPad2d, ReflectionPad2d, ReplicationPad2d, ZeroPad2d } from './padding';
export { AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d } from './pooling';
