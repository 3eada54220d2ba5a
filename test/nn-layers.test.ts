import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { SGD } from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import {
  type DroppedRow,
  expectDropped,
  expectNetDropped,
  modules,
  type Programs,
  quietly,
  type Sample,
  signed,
  testPrograms,
} from './programs';
import { readGolden } from './read-golden';
import { tolerances } from './tolerances';

// scripts/golden/nn_layers.py says what is recorded.

interface LayerRow extends DroppedRow {
  layer: string;
  p: number;
}
interface NetRow extends DroppedRow<Sample> {
  layer: 'net';
}
const isNet = (row: LayerRow | NetRow): row is NetRow => row.layer === 'net';
interface Golden extends Programs {
  dropouts: (LayerRow | NetRow)[];
}
const golden = readGolden<Golden>('nn_layers');

testPrograms(golden);

describe('dropout of channels equals torch bit for bit', () => {
  test.for(golden.dropouts.map((row) => [`${row.layer} ${'p' in row ? row.p : ''} [${row.shape}]`, row] as const))(
    '%s',
    ([, row]) => {
      torch.manual_seed(5);
      if (isNet(row)) {
        expectNetDropped([new nn.Conv2d(2, 5, 3), new nn.ReLU(), new nn.Dropout2d(0.4), new nn.Conv2d(5, 2, 2)], row);
      } else {
        const layer = new modules[row.layer]!(row.p) as nn.Dropout2d;
        // dropout2d warns of three dimensions.
        expectDropped((x) => quietly(() => layer(x)), row);
      }
    },
  );

  test.for(['Dropout', 'Dropout2d'])('%s draws nothing in eval mode', (name) => {
    const x = torch.ones(2, 3, 4, 4);
    torch.manual_seed(1);
    expect((new modules[name]!() as nn.Dropout).eval()(x)).toBe(x);
    const next = torch.rand(1).item();
    torch.manual_seed(1);
    expect(torch.rand(1).item()).toBe(next);
  });
});

const nets = [
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
] as const;

describe('what lies between layers', () => {
  /** The transposes of tensors with a batch of 5 that a call runs. */
  const transposes = async (f: () => tf.Tensor) => {
    const { kernels } = await tf.profile(f);
    return kernels.filter(({ name, inputShapes: [shape] }) => name === 'Transpose' && shape?.[0] === 5).length;
  };

  test.each(nets)('no transpose between layers that work on %s', async (_, net, shape) => {
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
      expect(Math.abs(second[i]! - (up![i]! - down![i]!) / (2 * h)), `${at[i]}`).toBeLessThan(
        tolerances.secondDerivative,
      );
    });
  });
});

test.each([
  ...nets,
  [
    'rows',
    new nn.Sequential(
      new nn.Linear(6, 8),
      new nn.LayerNorm(8),
      new nn.ELU(),
      new nn.Unflatten(1, [2, 4]),
      new nn.ConstantPad2d(1, 0.5),
      new nn.Mish(),
      new nn.Flatten(),
      new nn.Dropout(0.2),
      new nn.Linear(24, 3),
      new nn.LogSoftmax(1),
    ),
    [5, 6],
  ],
] as const)('a training loop over layers of %s keeps memory flat', (_, net, shape) => {
  const optimizer = new SGD(net.parameters(), 0.01);
  const counts: string[] = [];
  for (let i = 0; i < 30; i++) {
    optimizer.zero_grad();
    net(torch.randn(...shape))
      .square()
      .mean()
      .backward();
    optimizer.step();
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    counts.push(`${numTensors} tensors, ${numDataBuffers} buffers, ${numBytes} bytes`);
  }
  expect(new Set(counts.slice(4)).size, counts.join('; ')).toBe(1);
});
