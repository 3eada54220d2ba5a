import * as tf from '@tensorflow/tfjs-core';

const hostBackends = new Set(['cpu', 'wasm']);

/** Whether JavaScript reads the backend's memory at no cost to speak of. */
export const onHost = (): boolean => hostBackends.has(tf.getBackend());

/** Where a max-pooling's windows lie on NHWC data. */
export interface Windows {
  input: readonly [batch: number, height: number, width: number, channels: number];
  /** Height and width of the result. */
  output: readonly [number, number];
  size: readonly [number, number];
  strides: readonly [number, number];
  /** What the windows reach over the top and the left edge. */
  before: readonly [number, number];
}

/**
 * The largest value of each window and its place in `x`: torch's loop, in which the first of equals wins and a NaN stays.
 * tfjs's own kernels lose NaNs; wasm's gradient is wrong where the largest value is below 0, and cpu's is slow.
 * Not by `eachPixel`: a call for each pixel costs 10 to 70 % of the time, the more the fewer channels.
 */
export function maxOfWindows(x: Float32Array, w: Windows): { values: Float32Array; places: Int32Array } {
  const [batch, height, width, channels] = w.input;
  const [outHeight, outWidth] = w.output;
  const values = new Float32Array(batch * outHeight * outWidth * channels).fill(Number.NEGATIVE_INFINITY);
  const places = new Int32Array(values.length);
  let out = 0;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      const top = i * w.strides[0] - w.before[0];
      const [firstRow, lastRow] = [Math.max(top, 0), Math.min(top + w.size[0], height)];
      for (let j = 0; j < outWidth; j++) {
        const left = j * w.strides[1] - w.before[1];
        const [firstColumn, lastColumn] = [Math.max(left, 0), Math.min(left + w.size[1], width)];
        const start = ((n * height + firstRow) * width + firstColumn) * channels;
        for (let c = 0; c < channels; c++) places[out + c] = start + c;
        for (let row = firstRow; row < lastRow; row++) {
          for (let column = firstColumn; column < lastColumn; column++) {
            const at = ((n * height + row) * width + column) * channels;
            for (let c = 0; c < channels; c++) {
              const v = x[at + c]!;
              if (v > values[out + c]! || Number.isNaN(v)) {
                values[out + c] = v;
                places[out + c] = at + c;
              }
            }
          }
        }
        out += channels;
      }
    }
  }
  return { values, places };
}

/** The gradient by `x`, of `size` elements, of the values that were taken from `places`. */
export function scatter(dy: Float32Array, places: Int32Array, size: number): Float32Array {
  const dx = new Float32Array(size);
  for (let i = 0; i < places.length; i++) dx[places[i]!]! += dy[i]!;
  return dx;
}

/** Calls `visit` for each pixel of each window, with where its channels begin in the input and in the result. */
function eachPixel(w: Windows, visit: (from: number, to: number, window: number) => void): void {
  const [batch, height, width, channels] = w.input;
  const [outHeight, outWidth] = w.output;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      const top = i * w.strides[0] - w.before[0];
      const [firstRow, lastRow] = [Math.max(top, 0), Math.min(top + w.size[0], height)];
      for (let j = 0; j < outWidth; j++) {
        const left = j * w.strides[1] - w.before[1];
        const [firstColumn, lastColumn] = [Math.max(left, 0), Math.min(left + w.size[1], width)];
        const window = i * outWidth + j;
        const to = (n * outHeight * outWidth + window) * channels;
        for (let row = firstRow; row < lastRow; row++) {
          for (let column = firstColumn; column < lastColumn; column++) {
            visit(((n * height + row) * width + column) * channels, to, window);
          }
        }
      }
    }
  }
}

/** The sum of each window, times the factor for its place. */
export function sumOfWindows(x: Float32Array, w: Windows, factors: Float32Array): Float32Array {
  const channels = w.input[3];
  const sums = new Float32Array(w.input[0] * w.output[0] * w.output[1] * channels);
  eachPixel(w, (from, to, window) => {
    const factor = factors[window]!;
    for (let c = 0; c < channels; c++) sums[to + c]! += x[from + c]! * factor;
  });
  return sums;
}

/** The gradient of `sumOfWindows` by `x`. */
export function spreadOverWindows(dy: Float32Array, w: Windows, factors: Float32Array): Float32Array {
  const channels = w.input[3];
  const dx = new Float32Array(w.input.reduce((a, b) => a * b, 1));
  eachPixel(w, (from, to, window) => {
    const factor = factors[window]!;
    for (let c = 0; c < channels; c++) dx[from + c]! += dy[to + c]! * factor;
  });
  return dx;
}
