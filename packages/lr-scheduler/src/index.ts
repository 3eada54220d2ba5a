export type { Schedule } from './schedule';
export { LRScheduler } from './scheduler';
export { StepLR, type StepLROptions, stepLR } from './schedulers/step-lr';
