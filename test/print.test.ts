import * as tf from '@tensorflow/tfjs-core';
import { Parameter, tensor } from '@tfjs-torch/core';
import { describe, expect, test } from 'vitest';
import golden from './golden/print.json';

const number = (x: number | string) => (typeof x === 'number' ? x : Number(x.replace('inf', 'Infinity')));

describe('print', () => {
  test.each(golden.rows)('$dtype $shape $requires_grad', ({ values, shape, dtype, requires_grad, text }) => {
    const t = tf.tensor(values.map(number), shape, dtype as 'float32');
    if (requires_grad) t.requires_grad_();
    expect(String(t)).toBe(text);
  });

  test('a parameter and a recorded tensor say what they are', () => {
    const p = new Parameter(tensor([1, 2]));
    expect(`${p}`).toBe('Parameter containing:\ntensor([1., 2.], requires_grad=True)');
    expect(`${p.sum()}`).toBe('tensor(3., grad_fn=<SumBackward0>)');
  });

  test('a tensor in arithmetic is an error, not a string', () => {
    const t = tensor(1) as unknown as number;
    expect(() => 0.0 + t).toThrow(/would become a string/);
    expect(() => t * 2).toThrow(/loss\.item\(\)/);
  });
});
