import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core';
import { fromHost } from './collate';
import { Image, lookUp } from './image';
import { constructible, type Transform } from './transform';

export { RandomCrop, type RandomCropOptions, RandomHorizontalFlip } from './random-transforms';
export { Image, type Transform };

const unit = Float32Array.from({ length: 256 }, (_, i) => i / 255);
const units = (channels: number) => Array.from({ length: channels }, () => unit.slice());

/** Image to float32 tensor [channels, height, width] in [0, 1]: each value divided by 255. */
export const ToTensor = constructible(
  (): Transform<Image, tf.Tensor3D> =>
    Object.assign(
      (image: Image) => {
        if (!(image instanceof Image)) {
          throw new TypeError(`pic should be PIL Image or ndarray. Got ${Object(image).constructor?.name ?? image}`);
        }
        const { data, height, width, channels } = image;
        const values = new Float32Array(data.length);
        lookUp(units(channels), height * width, data, values, 0);
        return fromHost(values, [channels, height, width], 'float32') as tf.Tensor3D;
      },
      { tables: units },
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
    const checkChannels = (c: number, dimension = 0, shape = [c, 1, 1]) => {
      for (const { length } of [means, stds]) {
        if (length === 1 || length === c) continue;
        throw new RuntimeError(
          c === 1
            ? `output with shape [${shape.join(', ')}] doesn't match the broadcast shape [${shape.with(-3, length).join(', ')}]`
            : `The size of tensor a (${c}) must match the size of tensor b (${length}) at non-singleton dimension ${dimension}`,
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
      checkChannels(x.shape.at(-3)!, x.rank - 3, x.shape);
      const column = (values: Float32Array) => tf.tensor3d(values, [values.length, 1, 1]);
      return tf.tidy(() => tf.div(tf.sub(x, column(means)), column(stds)));
    };
    const perChannel = (values: Float32Array, channel: number, channels: number) => {
      checkChannels(channels);
      const m = means[means.length === 1 ? 0 : channel]!;
      const s = stds[stds.length === 1 ? 0 : channel]!;
      for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i]! - m) / s;
    };
    return Object.assign(normalize, { perChannel });
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
  const call = (x: unknown) => steps.reduce((y, step) => step(y), x);
  const later = (from: number) => {
    const all = steps.slice(from).map((step) => step.perChannel);
    if (all.includes(undefined)) return undefined;
    return (...args: Parameters<NonNullable<Step['perChannel']>>) => {
      for (const perChannel of all) perChannel!(...args);
    };
  };
  const moves = steps.findIndex((step) => !step.geometry || step.tables);
  const head = steps[moves]?.tables;
  const rest = later(moves + 1);
  const tables =
    head && rest
      ? (channels: number) => {
          const made = head(channels);
          for (const [channel, table] of made.entries()) rest(table, channel, channels);
          return made;
        }
      : undefined;
  // What moves pixels comes before what the tables do, in a transform that is the head of another list too.
  const movers = steps.slice(0, head ? moves + 1 : steps.length).flatMap((step) => step.geometry ?? []);
  const onlyMoves = moves < 0 && steps.length > 0;
  const geometry =
    (tables || onlyMoves) && movers.length > 0
      ? (image: Image) => movers.reduce((moved, move) => move(moved), image)
      : undefined;
  return Object.assign(call, { tables, perChannel: later(0), geometry });
}

/** A function of the user's as a transform. */
export const Lambda = constructible(<In, Out>(lambd: (sample: In) => Out): Transform<In, Out> => {
  if (typeof lambd !== 'function') throw new TypeError(`Argument lambd should be callable, got ${typeof lambd}`);
  return (sample) => lambd(sample);
}) as {
  new <In, Out>(lambd: (sample: In) => Out): Transform<In, Out>;
  <In, Out>(lambd: (sample: In) => Out): Transform<In, Out>;
};
