import * as tf from '@tensorflow/tfjs-core';
import { AttributeError, IndexError, internal, RuntimeError, ValueError } from '@tfjs-torch/core';
import { list, typename } from '../names';

function tensorsIn(parameters: Iterable<tf.Tensor>): tf.Tensor[] {
  const tensors = [...parameters];
  for (const p of tensors) {
    if (!(p instanceof tf.Tensor)) throw new AttributeError(`'${typename(p)}' object has no attribute 'device'`);
  }
  return tensors;
}

/** All elements of `parameters`, one after the other, in one vector. Differentiable. */
export function parameters_to_vector(parameters: Iterable<tf.Tensor>): tf.Tensor {
  const tensors = tensorsIn(parameters);
  if (tensors.length === 0) throw new ValueError('torch.cat(): expected a non-empty list of Tensors');
  const mixed = tensors.some((p) => p.dtype !== tensors[0]!.dtype);
  return tf.tidy(() => tf.concat(tensors.map((p) => tf.reshape(mixed ? tf.cast(p, 'float32') : p, [-1]))));
}

/**
 * Copies the elements of `vec`, in order, into `parameters`; more than they take are left over.
 * @throws RuntimeError for too few; nothing is changed then
 */
export function vector_to_parameters(vec: tf.Tensor, parameters: Iterable<tf.Tensor>): void {
  if (!(vec instanceof tf.Tensor)) throw new TypeError(`expected torch.Tensor, but got: ${typename(vec)}`);
  const tensors = tensorsIn(parameters);
  if (tensors.length === 0) return;
  if (vec.rank === 0) throw new IndexError('slice() cannot be applied to a 0-dim tensor.');
  const rows = vec.shape[0]!;
  const width = tf.util.sizeFromShape(vec.shape.slice(1));
  let taken = 0;
  const counts = tensors.map((p) => {
    const count = Math.min(p.size, rows - taken);
    taken += count;
    if (count * width !== p.size) {
      throw new RuntimeError(`shape '${list(p.shape)}' is invalid for input of size ${count * width}`);
    }
    if (vec.dtype !== p.dtype) {
      throw new RuntimeError(
        p.requires_grad
          ? 'data set to a tensor that requires gradients must be floating point or complex dtype'
          : 'Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type.',
      );
    }
    return count;
  });
  internal.withGrad(false, () => {
    const left = rows - taken;
    const values = tf.tidy(() => {
      const pieces = tf.split(vec, left > 0 ? [...counts, left] : counts);
      return tensors.map((p, i) => tf.reshape(pieces[i]!, p.shape));
    });
    values.forEach((value, i) => {
      internal.update(tensors[i]!, value);
    });
  });
}
