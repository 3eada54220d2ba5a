/** For the packages of this workspace: not part of the public API. */
export { frame } from './kernels';
export { lazyTranspose, sourceOf } from './lazy';
export { disown, fromHost, inTorch, loaderRound, moduleCall, own, sweep, userCode } from './memory';
export { isRecording, operation } from './operation';
export * from './update';
