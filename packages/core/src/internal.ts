// For the packages of this workspace: not part of the public API.

export { lazyTranspose, sourceOf } from './tape/lazy';
export { disown, fromHost, inTorch, loaderRound, moduleCall, own, sweep, userCode } from './tape/memory';
export { operation } from './tape/operation';
export { isRecording } from './tape/recording';
export { constant, floats, oneDnn, onTensorflowCpu, tensorflow, valuesOnHost } from './tape/tensorflow';
export { frame } from './torch/kernels';
export * from './update';
