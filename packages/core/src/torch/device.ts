/** Devices: tensors live on the tfjs backend in use; these answer for it. */
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '../python/errors';

export interface Device {
  readonly type: string;
  readonly index: number | null;
  toString(): string;
}

const types = ['cpu', 'cuda', 'mps', 'meta'];

/** `torch.device('cuda:0')`; callable with and without `new`. It is accepted wherever torch takes one, and moves nothing. */
function makeDevice(name: string, index: number | null = null): Device {
  const [, type, ordinal] = /^([a-z]+)(?::(\d+))?$/.exec(name) ?? [];
  if (type === undefined || !types.includes(type)) throw new RuntimeError(`Invalid device string: '${name}'`);
  const i = ordinal === undefined ? index : Number(ordinal);
  return { type, index: i, toString: () => (i === null ? type : `${type}:${i}`) };
}
export const device = makeDevice as unknown as {
  new (name: string, index?: number | null): Device;
  (name: string, index?: number | null): Device;
};

const onGPU = () => /webgl|webgpu/.test(tf.getBackend()) || isTensorFlowGPU();
const isTensorFlowGPU = () => {
  const backend = tf.backend() as { isUsingGpuDevice?: boolean } | null;
  return tf.getBackend() === 'tensorflow' && backend?.isUsingGpuDevice === true;
};

/** `torch.cuda`: whether the tfjs backend in use computes on a GPU. */
export const cuda = {
  is_available: (): boolean => onGPU(),
  device_count: (): number => Number(onGPU()),
};
