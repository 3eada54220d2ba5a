import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { bfloat16, zeropower } from './newton-schulz';

/** The nearest bfloat16, ties to even, by bits. */
function rounded(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer)[0]!;
  const up = bits + 0x7fff + ((bits >>> 16) & 1);
  return new Float32Array(Uint32Array.of(up & 0xffff0000).buffer)[0]!;
}

test('rounds to bfloat16 as bits do', () => {
  const values = [0, -0, 1, -1, 257, 258.5, -259, 2 ** -90, -(2 ** 90)];
  // All that lie next to, on and around the middle of two.
  for (let high = 0x3f80; high < 0x4010; high++) {
    for (const low of [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff]) {
      const [x] = new Float32Array(Uint32Array.of(high * 65536 + low).buffer);
      values.push(x!, -x!, x! * 2 ** 40, x! * 2 ** -60);
    }
  }
  const got = bfloat16(tf.tensor1d(values)).dataSync();
  expect(Array.from(got, Math.abs)).toEqual(values.map((x) => Math.abs(rounded(x))));
  expect(Array.from(got, Math.sign).map((s) => s + 0)).toEqual(values.map((x) => Math.sign(x) + 0));
});

interface Recorded {
  shape: [number, number];
  x: number[];
  y: number[];
}
const file = new URL('../../../test/golden/optim-classes.json', import.meta.url);
const { newtonSchulz } = JSON.parse(readFileSync(file, 'utf8')) as { newtonSchulz: Recorded[] };

test.each(newtonSchulz.map((r, i) => [`${r.shape.join('×')} (${i})`, r] as const))(
  '%s as torch, bit for bit',
  (_, r) => {
    const matrix = tf.tensor2d(Float32Array.from(r.x), r.shape);
    const h = { ns_coefficients: [3.4445, -4.775, 2.0315] as const, ns_steps: 5, eps: 1e-7 };
    expect(Array.from(zeropower(matrix, h).dataSync())).toEqual(Array.from(Float32Array.from(r.y)));
  },
);
