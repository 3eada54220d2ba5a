import './torch/tensor-methods';

// The types of tfjs's chained methods; chained-ops.ts has the methods.
export type * from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
export * from './base';
export * as internal from './internal';
export { scope } from './tape/memory';
export { SparseTensor, sparse_coo_tensor } from './tape/sparse';
export type { WithData } from './tensor/data';
export { enable_grad, is_grad_enabled, no_grad, set_grad_enabled } from './tensor/grad-mode';
export * as autograd from './torch/autograd-api';
export {
  arange,
  as_tensor,
  bool,
  type Dtype,
  empty,
  empty_like,
  eye,
  float,
  float32,
  full,
  full_like,
  int32,
  int64,
  linspace,
  long,
  type NumberArray,
  ones,
  ones_like,
  resolveDtype,
  type SizeArgs,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
  zeros_like,
} from './torch/creation';
export { cuda, type Device, device } from './torch/device';
export * from './torch/functions';
export {
  default_generator,
  Generator,
  get_rng_state,
  initial_seed,
  manual_seed,
  seed,
  set_rng_state,
} from './torch/generator';
export { registerMissingKernels } from './torch/kernels';
export { Parameter } from './torch/parameter';
export {
  bernoulli,
  bernoulliMask,
  drawIndices,
  fillIntegers,
  fillNormal,
  fillUniform,
  multinomial,
  normal,
  permutation,
  type RandomOptions,
  rand,
  rand_like,
  randint,
  randn,
  randn_like,
  randomSeed,
  randperm,
} from './torch/random';
