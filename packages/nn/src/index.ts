export { Parameter, type RemovableHandle } from '@tfjs-torch/core';
export * as functional from './functional';
export * as init from './init';
export {
  type ForwardHook,
  type ForwardPreHook,
  type IncompatibleKeys,
  Module,
  type StateDict,
  type StateDictOptions,
} from './module';
export * from './modules';
export type { Pair } from './pair';
export * as utils from './utils';
