import { ValueError } from '@tfjs-torch/core';

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

/** Writes an image, its channels interleaved, to `to`, channel after channel, through the channels' tables. */
export function lookUp(
  tables: readonly Float32Array[],
  size: number,
  source: Uint8Array,
  out: Float32Array,
  to: number,
): void {
  const channels = tables.length;
  for (const [k, table] of tables.entries()) {
    const start = to + k * size;
    for (let i = 0, j = k; i < size; i++, j += channels) out[start + i] = table[source[j]!]!;
  }
}
