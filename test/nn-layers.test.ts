import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import {
  type BadRow,
  type Digest,
  digest,
  errorOf,
  type FreshRow,
  type LayerRow,
  type ModelRow,
  modules,
  type Sample,
  signed,
  testBad,
  testFresh,
  testLayers,
  testModels,
  type WarnedRow,
} from './programs';
import { tolerances } from './tolerances';

// scripts/golden/nn_layers.py says what is recorded.

interface DropoutRow {
  layer: string;
  p: number;
  shape: number[];
  output: Digest;
  gradient: Digest;
  next: number;
}
interface NetRow {
  layer: 'net';
  shape: number[];
  output: Sample;
  gradient: Sample;
  next: number;
}
const isNet = (row: DropoutRow | NetRow): row is NetRow => row.layer === 'net';
const golden = JSON.parse(readFileSync(new URL('golden/nn_layers.json', import.meta.url), 'utf8')) as {
  layers: LayerRow[];
  fresh: FreshRow[];
  dropouts: (DropoutRow | NetRow)[];
  models: ModelRow[];
  bad: BadRow[];
  warned: WarnedRow[];
};

testLayers(golden.layers);
testFresh(golden.fresh);

describe('dropout of channels equals torch bit for bit', () => {
  test.for(golden.dropouts.map((row) => [`${row.layer} ${'p' in row ? row.p : ''} [${row.shape}]`, row] as const))(
    '%s',
    ([, row]) => {
      torch.manual_seed(5);
      if (isNet(row)) {
        const conv = new nn.Conv2d(2, 5, 3);
        const net = new nn.Sequential(conv, new nn.ReLU(), new nn.Dropout2d(0.4), new nn.Conv2d(5, 2, 2));
        const output = net(signed(row.shape));
        output.sum().backward();
        expect(errorOf(output, row.output)).toBeLessThanOrEqual(tolerances.layer);
        expect(errorOf(conv.weight.grad, row.gradient)).toBeLessThanOrEqual(tolerances.layer);
      } else {
        const input = signed(row.shape).requires_grad_();
        const layer = new modules[row.layer]!(row.p) as nn.Dropout2d;
        let output = input;
        torch.catch_warnings(() => {
          output = layer(input);
        });
        output.backward(torch.ones(row.shape));
        expect(digest(output)).toEqual(row.output);
        expect(digest(input.grad!)).toEqual(row.gradient);
      }
      expect(torch.rand(1).item()).toBe(row.next);
    },
  );

  test('draws nothing in eval mode', () => {
    const x = torch.ones(2, 3, 4, 4);
    torch.manual_seed(1);
    expect(new nn.Dropout2d().eval()(x)).toBe(x);
    const next = torch.rand(1).item();
    torch.manual_seed(1);
    expect(torch.rand(1).item()).toBe(next);
  });
});

testModels(golden.models);
testBad(golden.bad, golden.warned);

describe('what lies between layers', () => {
  /** The transposes of tensors with a batch of 5 that a call runs. */
  const transposes = async (f: () => tf.Tensor) => {
    const { kernels } = await tf.profile(f);
    return kernels.filter(({ name, inputShapes: [shape] }) => name === 'Transpose' && shape?.[0] === 5).length;
  };

  test.each([
    [
      'images',
      new nn.Sequential(
        new nn.Conv2d(2, 4, 3, { padding: 1, padding_mode: 'circular' }),
        new nn.GELU(),
        new nn.ReplicationPad2d(1),
        new nn.AvgPool2d(2),
        new nn.Dropout2d(0.3),
        new nn.ConvTranspose2d(4, 3, 4, 2, 1),
        new nn.LeakyReLU(0.2),
        new nn.Softmax(1),
        new nn.AdaptiveAvgPool2d(3),
        new nn.Conv2d(3, 2, 3),
      ),
      [5, 2, 8, 8],
    ],
    [
      'lines',
      new nn.Sequential(
        new nn.Conv1d(2, 4, 3),
        new nn.BatchNorm1d(4),
        new nn.SiLU(),
        new nn.MaxPool1d(2),
        new nn.ConvTranspose1d(4, 3, 2, 2),
        new nn.Dropout1d(0.3),
        new nn.AvgPool1d(2),
        new nn.Conv1d(3, 2, 2),
      ),
      [5, 2, 14],
    ],
  ] as const)('no transpose between layers that work on %s', async (_, net, shape) => {
    const x = signed([...shape]);
    expect(await transposes(() => net(x))).toBe(1);
  });

  test.each([
    'relu',
    'relu6',
    'hardtanh',
    'sigmoid',
    'tanh',
    'leaky_relu',
    'elu',
    'celu',
    'selu',
    'gelu',
    'silu',
    'mish',
    'softplus',
    'logsigmoid',
    'softsign',
    'hardswish',
  ] as const)('%s can be differentiated twice', (name) => {
    const f = nn.functional[name];
    const slope = (at: number[]) => {
      const x = torch.tensor(at).requires_grad_();
      const [g] = torch.autograd.grad(f(x).square().sum(), x, null, { create_graph: true });
      return { x, g: g! };
    };
    const at = [-2.5, -0.75, 0.5, 1.75];
    const { x, g } = slope(at);
    const h = 1 / 64;
    const [up, down] = [h, -h].map((d) => slope(at.map((v) => v + d)).g.dataSync());
    g.sum().backward();
    const second = x.grad!.dataSync();
    at.forEach((_, i) => {
      expect(Math.abs(second[i]! - (up![i]! - down![i]!) / (2 * h)), `${at[i]}`).toBeLessThan(2e-3);
    });
  });
});
