export { LogSoftmax, ReLU, Softmax } from './activation';
export { _BatchNorm, BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './batchnorm';
export { ModuleDict, ModuleList, Sequential } from './container';
export { Conv2d, type Conv2dOptions } from './conv';
export { Dropout } from './dropout';
export { Flatten } from './flatten';
export { Identity, Linear, type LinearOptions } from './linear';
export { CrossEntropyLoss, L1Loss, MSELoss, NLLLoss } from './loss';
export { MaxPool2d } from './pooling';
