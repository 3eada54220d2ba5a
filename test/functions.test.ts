import * as tf from '@tensorflow/tfjs-core';
import { allclose, autograd, cuda, device, equal, is_tensor, numel, ones, tensor } from '@tfjs-torch/core';
import torch from 'tfjs-torch';
import { describe, expect, test } from 'vitest';
import golden from './golden/functions.json';
import { relativeError, tolerances } from './tolerances';

type Row = { shape: number[]; values: (number | string)[] };
const number = (v: number | string) => (typeof v === 'number' ? v : Number(v.replace('inf', 'Infinity')));

/** A Python call of the golden file in JavaScript: keywords become an object, tuples arrays, slices methods. */
function toJavaScript(python: string): string {
  return python
    .replace(/\(x,y\)(?=[,)])/g, '[x,y]')
    .replace(/\((\d+(?:,\d+)+)\)/g, '[$1]')
    .replace(/True/g, 'true')
    .replace(/x\*(\d+)/g, 'x.mul($1)')
    .replace(/([xy])\[0\]/g, '$1.slice([0,0],[1,3]).reshape([3])')
    .replace(/x\[:1\]/g, 'x.slice([0,0],[1,3])')
    .replace(/x>0/g, 'x.gt(0)')
    .replace(/((?:\w+=[\w.-]+)(?:,\w+=[\w.-]+)*)\)/g, (_, keywords: string) => `{${keywords.replaceAll('=', ':')}})`);
}

describe('functions are those of torch', () => {
  test.each(Object.entries(golden.rows as Record<string, Row>))('%s', (python, { shape, values }) => {
    const inputs = Object.entries(golden.inputs as Record<string, Row>).map(
      ([name, t]) => [name, tf.tensor(t.values as number[], t.shape)] as const,
    );
    const scope = { ...torch, ...Object.fromEntries(inputs) };
    const run = new Function('scope', `with (scope) return ${toJavaScript(python)}`) as (s: typeof scope) => tf.Tensor;
    const result = run(scope);
    expect(result.shape).toEqual(shape);
    expect(relativeError(result.dataSync(), values.map(number))).toBeLessThanOrEqual(tolerances.operation);
  });

  test('questions', () => {
    const a = tensor([1, 2, Number.NaN]);
    expect([equal(ones(2), ones(2)), equal(ones(2), ones(1, 2)), equal(a, a)]).toEqual([true, false, false]);
    expect([allclose(ones(2), tensor([1, 1.000001])), allclose(ones(2), tensor([1, 1.1]))]).toEqual([true, false]);
    expect([allclose(a, a), allclose(a, a, { equal_nan: true }), allclose(ones(2), tensor([1, 1.1]), 0.2)]).toEqual([
      false,
      true,
      true,
    ]);
    expect([numel(ones(2, 3)), is_tensor(a), is_tensor([1])]).toEqual([6, true, false]);
  });

  test('max along a dimension has a gradient', () => {
    const x = tensor(
      [
        [1, 3],
        [4, 2],
      ],
      { requires_grad: true },
    );
    const [values, predicted] = torch.max(x, 1);
    values.sum().backward();
    expect(x.grad!.arraySync()).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(predicted.arraySync()).toEqual([1, 0]);
  });
});

describe('devices', () => {
  test('are named, and move nothing', () => {
    expect(String(device('cuda:0'))).toBe('cuda:0');
    expect(device('cpu')).toMatchObject({ type: 'cpu', index: null });
    expect(String(new device('cuda', 1))).toBe('cuda:1');
    const x = ones(2);
    expect(x.to(device('cpu'))).toBe(x);
    expect(() => device('gpu')).toThrow("Invalid device string: 'gpu'");
  });

  test('cuda answers for the backend', () => {
    expect([cuda.is_available(), cuda.device_count()]).toEqual([false, 0]);
  });
});

describe('arguments of backward and grad', () => {
  const leaf = () => tensor([2], { requires_grad: true });
  test('by position, by keyword, and a typo', () => {
    const x = leaf();
    const y = x.mul(x);
    y.backward(ones(1), true);
    y.backward({ gradient: ones(1), retain_graph: true });
    autograd.backward(y, { grad_tensors: ones(1) });
    expect(x.grad!.arraySync()).toEqual([12]);
    expect(() => leaf().backward({ retain: true } as never)).toThrow(/unexpected keyword argument 'retain'/);
    expect(() => autograd.grad(leaf().sum(), leaf(), { create_grap: true } as never)).toThrow(
      /Did you mean 'create_graph'/,
    );
  });
});
