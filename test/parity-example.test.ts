import { readFileSync } from 'node:fs';
import { compare } from '@tfjs-torch/parity';
import { expect, test } from 'vitest';
import { forced, golden, Net, trained } from '../examples/parity/net';
import { tolerances } from './tolerances';

// out.bias is one number, whose gradient passes near 0 in step 1: a sum of 16 errors, relative to next to nothing.
const limits = { model: tolerances.parityStep, state: tolerances.parityStep, grad: tolerances.parityCancelled };

test("examples/parity: one step from each of torch's states", () => {
  const compared = compare(forced(), golden);
  expect(compared.above({ ...limits, loss: tolerances.loss })).toEqual([]);
});

test('examples/parity: the whole run from the seed', () => {
  const compared = compare(trained(), golden, { only: ['loss', 'model', 'option', 'input'] });
  const free = tolerances.parityFree;
  expect(compared.above({ loss: free, model: free, option: tolerances.learningRate, input: tolerances.loss })).toEqual(
    [],
  );
});

test('examples/parity: a slip in the model is seen', () => {
  class Slip extends Net {
    override forward(x: Parameters<Net['forward']>[0]) {
      return super.forward(x.mul(1.001));
    }
  }
  expect(compare(forced(new Slip()), golden).within({ ...limits, loss: tolerances.loss })).toBe(false);
});

test('examples/parity: the golden is of the torch that all goldens are of, and stays small', () => {
  const text = readFileSync(new URL('../examples/parity/golden.json', import.meta.url), 'utf8');
  expect(golden.head).toMatchObject({
    torch: expect.stringMatching(/^2\.15\.0/),
    seed: 0,
    optimizer: { name: 'AdamW' },
  });
  expect(golden.steps.length).toBe(12);
  expect(text.length).toBeLessThan(110_000);
});
