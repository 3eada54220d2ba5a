// For the packages of this workspace: not part of the public API.

export { lazyTranspose, sourceOf } from './tape/lazy';
export { disown, fromHost, inTorch, loaderRound, moduleCall, own, sweep, userCode } from './tape/memory';
export { isRecording, operation } from './tape/operation';
export { frame } from './torch/kernels';
export * from './update';
