export type { Factor, LambdaLROptions } from './lambda-scheduler';
export type { Schedule, SchedulerOptions } from './schedule';
export { _LRScheduler, LRScheduler } from './scheduler';
export { ChainedScheduler, type ChainedSchedulerOptions } from './schedulers/chained-scheduler';
export { ConstantLR, type ConstantLROptions, constantLR } from './schedulers/constant-lr';
export { CosineAnnealingLR, type CosineAnnealingLROptions, cosineAnnealingLR } from './schedulers/cosine-annealing-lr';
export {
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from './schedulers/cosine-annealing-warm-restarts';
export { CyclicLR, type CyclicLROptions } from './schedulers/cyclic-lr';
export { ExponentialLR, type ExponentialLROptions, exponentialLR } from './schedulers/exponential-lr';
export { LambdaLR } from './schedulers/lambda-lr';
export { LinearLR, type LinearLROptions, linearLR } from './schedulers/linear-lr';
export { MultiStepLR, type MultiStepLROptions, multiStepLR } from './schedulers/multi-step-lr';
export { MultiplicativeLR } from './schedulers/multiplicative-lr';
export { OneCycleLR, type OneCycleLROptions } from './schedulers/one-cycle-lr';
export { PolynomialLR, type PolynomialLROptions, polynomialLR } from './schedulers/polynomial-lr';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './schedulers/reduce-lr-on-plateau';
export { SequentialLR, type SequentialLROptions } from './schedulers/sequential-lr';
export { StepLR, type StepLROptions, stepLR } from './schedulers/step-lr';
export { SWALR, type SWALROptions } from './schedulers/swalr';
