import type { Image } from './image';

/**
 * A function of one sample. Where it treats each value of an image by itself it says so, and a dataset can build a batch
 * without a tensor per sample: each of the 256 values is transformed once, then looked up.
 */
export interface Transform<In, Out> {
  (sample: In): Out;
  /** For images: what each 8-bit value becomes, by channel; the result is a float32 tensor, channels first. */
  tables?: ((channels: number) => Float32Array[]) | undefined;
  /** For images: moves pixels, and makes an image of the same size of all of one size. With `tables`: comes before them. */
  geometry?: ((image: Image) => Image) | undefined;
  /** For float32 tensors: does its work on values of one channel, in place. */
  perChannel?: ((values: Float32Array, channel: number, channels: number) => void) | undefined;
}

/** Callable as in Python, `ToTensor()`, and as a class is in JavaScript, `new ToTensor()`. */
export function constructible<A extends unknown[], T extends object>(make: (...args: A) => T) {
  function construct(...args: A): T {
    return make(...args);
  }
  return construct as unknown as { new (...args: A): T; (...args: A): T };
}
