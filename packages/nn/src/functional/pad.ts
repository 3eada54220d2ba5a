import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, NotImplementedError, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { nchwFrom, nhwc } from '../layout';
import { list, tuple } from '../names';
import { op } from '../op';
import { mappedGradient, type Rows } from '../separable';
import { assertTensor } from './linear';

export type PaddingMode = 'constant' | 'reflect' | 'replicate' | 'circular';

export interface PadOptions {
  /** Default 'constant'. */
  mode?: PaddingMode;
  /** Of 'constant'. Default 0. */
  value?: number | null;
}

/**
 * `input` with elements added, or taken away where a number is negative: `pad` is [before, after] of the last dimension,
 * then of the one before, …. The modes other than 'constant' pad lines [N, C, L] or [C, L] and images [N, C, H, W] or
 * [C, H, W].
 */
export function pad(
  input: tf.Tensor,
  pad: readonly number[],
  ...args: Args<[mode: PaddingMode, value: number | null], PadOptions>
): tf.Tensor {
  const { mode, value } = bind(padSignature, [input, pad, ...args]);
  assertTensor('pad', 'input', 1, input);
  if (pad.length % 2 !== 0) throw new RuntimeError('Padding length must be divisible by 2');
  if (pad.length > input.rank * 2) {
    throw new RuntimeError(
      `Padding length should be less than or equal to two times the input dimension but got padding length ${pad.length} and input of dimension ${input.rank}`,
    );
  }
  const amounts = Array.from({ length: pad.length / 2 }, (_, i) => [pad[2 * i]!, pad[2 * i + 1]!] as Amount).reverse();
  if (mode === 'constant') return withConstant(input, amounts, value ?? 0);
  if (value !== null && value !== 0) throw new RuntimeError(`Padding mode "${mode}" doesn't take in value argument`);
  if (!(mode in places)) throw new NotImplementedError(`Unrecognised padding mode ${mode}`);
  return withOwn(input, amounts, mode);
}
const padSignature: Signature<Required<PadOptions>> = signature('pad', "input, pad, mode='constant', value=None");

type Amount = [before: number, after: number];

/** Amounts for every dimension, those of the first ones 0. */
const forAll = (amounts: readonly Amount[], rank: number): Amount[] => [
  ...Array.from({ length: rank - amounts.length }, (): Amount => [0, 0]),
  ...amounts,
];

function withConstant(input: tf.Tensor, amounts: readonly Amount[], value: number): tf.Tensor {
  const frame = forAll(amounts, input.rank);
  if (frame.some(([before, after], i) => input.shape[i]! + Math.min(before, 0) + Math.min(after, 0) < 0)) {
    throw new RuntimeError('narrow(): length must be non-negative.');
  }
  const images = input.rank === 4 && amounts.length <= 2;
  const x = images ? nhwc(input) : input;
  const [n, c, h, w] = frame as [Amount, Amount, Amount, Amount];
  const y = padded(x, images ? [n, h, w, c] : frame, value);
  return images ? nchwFrom(y as tf.Tensor4D) : y;
}

function padded(x: tf.Tensor, frame: readonly Amount[], value: number): tf.Tensor {
  const cut = frame.some((amount) => amount.some((p) => p < 0))
    ? tf.slice(
        x,
        frame.map(([before]) => Math.max(-before, 0)),
        frame.map(([before, after], i) => x.shape[i]! + Math.min(before, 0) + Math.min(after, 0)),
      )
    : x;
  const more = frame.map(([before, after]): Amount => [Math.max(before, 0), Math.max(after, 0)]);
  return tf.pad(cut, more, value);
}

/** Where the value at place `i` of a dimension of size `n` comes from, for places before it and behind it too. */
const places: Readonly<Record<string, (i: number, n: number) => number>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => (i + n) % n,
};
const nodes: Readonly<Record<string, string>> = { reflect: 'ReflectionPad', replicate: 'ReplicationPad' };

function withOwn(input: tf.Tensor, amounts: readonly Amount[], mode: PaddingMode): tf.Tensor {
  const dims = amounts.length;
  if (dims < 1 || dims > 2 || (input.rank !== dims + 1 && input.rank !== dims + 2)) {
    throw new NotImplementedError(
      `Padding size ${dims * 2} is not supported for ${input.rank}D input tensor.
Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)`,
    );
  }
  if (mode === 'circular' && amounts.some((amount) => amount.some((p) => p < 0))) {
    // What is taken away is not what comes round.
    const sign = (keep: (p: number) => number) => amounts.map(([before, after]): Amount => [keep(before), keep(after)]);
    const cut = withConstant(
      input,
      sign((p) => Math.min(p, 0)),
      0,
    );
    return withOwn(
      cut,
      sign((p) => Math.max(p, 0)),
      mode,
    );
  }
  assertReach(input, amounts, mode);
  if (input.rank === dims + 2) return paddedImages(input, amounts, mode);
  const output = paddedImages(tf.expandDims(input), amounts, mode);
  return tf.reshape(output, output.shape.slice(1));
}

function assertReach(input: tf.Tensor, amounts: readonly Amount[], mode: PaddingMode): void {
  // torch looks at the last dimension first.
  for (let i = amounts.length - 1; i >= 0; i--) {
    const axis = input.rank - amounts.length + i;
    const n = input.shape[axis]!;
    const amount = amounts[i]!;
    if (mode === 'circular' && amount.some((p) => p > n)) {
      throw new RuntimeError('Padding value causes wrapping around more than once.');
    }
    if (mode === 'reflect' && amount.some((p) => p >= n)) {
      throw new RuntimeError(
        `Argument #${4 + 2 * (amounts.length - 1 - i)}: Padding size should be less than the corresponding input dimension, but got: padding ${tuple(amount)} at dimension ${axis} of input ${list(input.shape)}`,
      );
    }
  }
}

function paddedImages(input: tf.Tensor, amounts: readonly Amount[], mode: PaddingMode): tf.Tensor {
  const images = nhwc(input);
  const [, h, w] = images.shape;
  const [vertical, horizontal] = forAll(amounts, 2) as [Amount, Amount];
  const sources = ([before, after]: Amount, n: number) =>
    Int32Array.from({ length: before + n + after }, (_, i) => places[mode]!(i - before, n));
  const [rows, columns] = [sources(vertical, h), sources(horizontal, w)];
  const take = (x: tf.Tensor, from: Int32Array, axis: 1 | 2) =>
    from.every((source, i) => source === i) && from.length === x.shape[axis]
      ? x
      : tf.gather(x, tf.tensor1d(from, 'int32'), axis);
  const asRows = (from: Int32Array): Rows => Array.from(from, (source) => [[source, 1]]);
  const y = op(
    `${nodes[mode] ?? 'CircularPad'}${amounts.length}D`,
    { input: images },
    () => {
      const result = take(take(images, rows, 1), columns, 2);
      return result === images ? tf.clone(result) : result;
    },
    (dy) => ({ input: () => mappedGradient(dy as tf.Tensor4D, asRows(rows), asRows(columns), [h, w]) }),
  );
  return nchwFrom(y as tf.Tensor4D, input.rank);
}
