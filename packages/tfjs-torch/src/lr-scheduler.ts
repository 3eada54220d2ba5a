export { LRScheduler, StepLR, type StepLROptions } from '@tfjs-torch/lr-scheduler';
