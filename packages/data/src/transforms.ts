import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core';
import { fromHost } from './collate';

/** What a dataset of pictures holds before transforms, as a PIL image: 8 bits a channel, rows of pixels of channels. */
export class Image {
  constructor(
    readonly data: Uint8Array,
    readonly height: number,
    readonly width: number,
    readonly channels = 1,
  ) {
    const size = height * width * channels;
    if (data.length !== size) {
      throw new ValueError(`an image of ${height} × ${width} × ${channels} has ${size} values, got ${data.length}`);
    }
  }
}

/** Many images at once: uint8 in [n, h, w, c] before ToTensor, float32 in [n, c, h, w] after it. */
export interface Pixels {
  values: Uint8Array | Float32Array;
  shape: [number, number, number, number];
}

/**
 * A function of one sample. One that has `batch` does the same, to the bit, to many at once, of which it may overwrite the
 * values; datasets use it to build a batch without a tensor per sample.
 */
export interface Transform<In, Out> {
  (sample: In): Out;
  batch?: ((pixels: Pixels) => Pixels) | undefined;
}

/** Callable as in Python, `ToTensor()`, and as a class is in JavaScript, `new ToTensor()`. */
function constructible<A extends unknown[], T extends object>(make: (...args: A) => T) {
  function construct(...args: A): T {
    return make(...args);
  }
  return construct as unknown as { new (...args: A): T; (...args: A): T };
}

const unit = Float32Array.from({ length: 256 }, (_, i) => i / 255);

function toUnit({ values, shape: [n, h, w, c] }: Pixels): Pixels {
  const size = h * w;
  const out = new Float32Array(values.length);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < c; k++) {
      const to = (i * c + k) * size;
      const from = i * c * size + k;
      for (let j = 0; j < size; j++) out[to + j] = unit[values[from + j * c]!]!;
    }
  }
  return { values: out, shape: [n, c, h, w] };
}

/** Image to float32 tensor [channels, height, width] in [0, 1]: each value divided by 255. */
export const ToTensor = constructible(
  (): Transform<Image, tf.Tensor3D> =>
    Object.assign(
      (image: Image) => {
        if (!(image instanceof Image)) {
          throw new TypeError(`pic should be PIL Image or ndarray. Got ${Object(image).constructor?.name ?? image}`);
        }
        const { data, height, width, channels } = image;
        const { values, shape } = toUnit({ values: data, shape: [1, height, width, channels] });
        return fromHost(values, shape.slice(1), 'float32') as tf.Tensor3D;
      },
      { batch: toUnit },
    ),
);

/** (x - mean) / std in float32; one number for all channels, or one for each. Takes [..., channels, height, width]. */
export const Normalize = constructible(
  (mean: number | readonly number[], std: number | readonly number[]): Transform<tf.Tensor, tf.Tensor> => {
    const means = Float32Array.from([mean].flat());
    const stds = Float32Array.from([std].flat());
    if (stds.includes(0)) {
      throw new ValueError('std evaluated to zero after conversion to torch.float32, leading to division by zero.');
    }
    const check = (shape: readonly number[]) => {
      const c = shape.at(-3)!;
      for (const { length } of [means, stds]) {
        if (length === 1 || length === c) continue;
        const broadcast = [...shape.slice(0, -3), c === 1 ? length : c, ...shape.slice(-2)];
        throw new RuntimeError(
          c === 1
            ? `output with shape [${shape.join(', ')}] doesn't match the broadcast shape [${broadcast.join(', ')}]`
            : `The size of tensor a (${c}) must match the size of tensor b (${length}) at non-singleton dimension ${shape.length - 3}`,
        );
      }
    };
    const normalize = (x: tf.Tensor) => {
      if (x.dtype !== 'float32') throw new TypeError(`Input tensor should be a float tensor. Got ${x.dtype}.`);
      if (x.rank < 3) {
        throw new ValueError(
          `Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = torch.Size([${x.shape.join(', ')}])`,
        );
      }
      check(x.shape);
      const perChannel = (values: Float32Array) => tf.tensor3d(values, [values.length, 1, 1]);
      return tf.tidy(() => tf.div(tf.sub(x, perChannel(means)), perChannel(stds)));
    };
    const batch = ({ values, shape }: Pixels): Pixels => {
      if (!(values instanceof Float32Array)) throw new TypeError('Input tensor should be a float tensor. Got uint8.');
      check(shape.slice(1));
      const [n, c, h, w] = shape;
      for (let plane = 0; plane < n * c; plane++) {
        const m = means[means.length === 1 ? 0 : plane % c]!;
        const s = stds[stds.length === 1 ? 0 : plane % c]!;
        const end = (plane + 1) * h * w;
        for (let i = plane * h * w; i < end; i++) values[i] = Math.fround(values[i]! - m) / s;
      }
      return { values, shape };
    };
    return Object.assign(normalize, { batch });
  },
);

type Result<T extends readonly unknown[], In> = T extends readonly [...unknown[], (x: never) => infer Out] ? Out : In;

/** One transform after the other. */
export const Compose = constructible(compose) as {
  new <const T extends readonly ((x: never) => unknown)[]>(transforms: T): Transform<First<T>, Result<T, First<T>>>;
  <const T extends readonly ((x: never) => unknown)[]>(transforms: T): Transform<First<T>, Result<T, First<T>>>;
};
type First<T extends readonly unknown[]> = T extends readonly [(x: infer In) => unknown, ...unknown[]] ? In : Image;

type Step = Transform<unknown, unknown>;

function compose(transforms: readonly unknown[]): Step {
  const steps = transforms as readonly Step[];
  for (const step of steps) {
    if (typeof step !== 'function') throw new TypeError(`'${typeof step}' object is not callable`);
  }
  const batches = steps.flatMap((step) => step.batch ?? []);
  const batch = (pixels: Pixels) => batches.reduce((p, f) => f(p), pixels);
  return Object.assign((x: unknown) => steps.reduce((y, step) => step(y), x), {
    batch: batches.length === steps.length ? batch : undefined,
  });
}

/** A function of the user's as a transform. */
export const Lambda = constructible(<In, Out>(lambd: (sample: In) => Out): Transform<In, Out> => {
  if (typeof lambd !== 'function') throw new TypeError(`Argument lambd should be callable, got ${typeof lambd}`);
  return (sample) => lambd(sample);
}) as {
  new <In, Out>(lambd: (sample: In) => Out): Transform<In, Out>;
  <In, Out>(lambd: (sample: In) => Out): Transform<In, Out>;
};
