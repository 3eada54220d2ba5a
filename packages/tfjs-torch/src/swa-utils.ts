export { SWALR, type SWALROptions } from '@tfjs-torch/lr-scheduler';
