import * as tf from '@tensorflow/tfjs-core';
import { engine } from '../tensor/engine';
import { fields } from '../tensor/fields';
import { is_grad_enabled, withGrad } from '../tensor/grad-mode';
import { surrender } from '../tensor/swap';
import { type Node, record } from './graph';
import { adopt } from './memory';

/**
 * `tf.transpose(source, perm)` whose values are computed when somebody asks for them: at the first look at its dataId,
 * through which every kernel and every read goes. Until then it costs no kernel and no memory of its own, and its
 * source serves whoever can work in the other layout. Its place in the graph is there from the start.
 */
export function lazyTranspose(source: tf.Tensor, perm: readonly number[]): tf.Tensor {
  const shape = perm.map((axis) => source.shape[axis]!);
  const t = new tf.Tensor(shape, source.dtype, {}, engine.nextTensorId());
  const settle = (value: tf.DataId) => {
    fields(t)._pending = false;
    Object.defineProperty(t, 'dataId', { value, writable: true, configurable: true });
  };
  Object.defineProperty(t, 'dataId', {
    get() {
      const made = withGrad(false, () => tf.transpose(source, [...perm]));
      surrender(made);
      settle(made.dataId);
      fields(t)._sourceFor = made.dataId;
      if (fields(t)._dropped) adopt(t);
      return made.dataId;
    },
    set: settle,
    configurable: true,
  });
  fields(t)._source = source;
  fields(t)._perm = perm;
  fields(t)._pending = true;
  if (fields(source)._node && is_grad_enabled()) record('Transpose', { x: source }, [t], null, [], { perm: [...perm] });
  engine.track(t);
  return t;
}

/** Whether the values of a transposed tensor are still to be computed. */
export const isPending = (t: tf.Tensor): boolean => fields(t)._pending === true;

/** The tensor that `t` is a lazy transpose of, as long as both hold the same values. */
export function sourceOf(t: tf.Tensor): tf.Tensor | undefined {
  const { _source: source, _sourceFor: dataId } = fields(t);
  if (!source || source.isDisposed) return undefined;
  if (isPending(t)) return source;
  return t.dataId === dataId && engine.state.tensorInfo.has(source.dataId) ? source : undefined;
}

/**
 * Where the whole gradient of `t` passes: at its own node, but for a lazy transpose at its source's, whose other users
 * are, to the script, users of `t`. There it has to be transposed.
 */
export function gradientPoint(t: tf.Tensor): { node: Node; output: number; perm?: readonly number[] } | null {
  const { _node: node, _output: output = 0, _source: source, _perm: perm } = fields(t);
  if (!node) return null;
  const origin = source && fields(source)._node;
  if (!origin || node.edges[0]?.node !== origin) return { node, output };
  return { node: origin, output: fields(source)._output ?? 0, perm };
}
