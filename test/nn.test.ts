import type * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import {
  type Digest,
  type DroppedRow,
  digest,
  evaluate,
  expectDropped,
  expectLoss,
  expectNetDropped,
  type LossRow,
  label,
  modules,
  type Program,
  type Programs,
  type Sample,
  signed,
  testPrograms,
} from './programs';
import { readGolden } from './read-golden';

interface Golden extends Programs {
  losses: (LossRow & {
    loss: 'CrossEntropyLoss' | 'NLLLoss' | 'MSELoss' | 'L1Loss';
    options: Record<string, unknown>;
    input: number[];
    target: ['labels' | 'shares' | 'values', number[]];
    scale: number;
  })[];
  draws: { call: string; keywords: Record<string, Program>; shape: number[]; values: Digest; next: number }[];
  dropouts: (({ p: number } & DroppedRow) | ({ p: 'net' } & DroppedRow<Sample>))[];
  gains: [[nonlinearity: Parameters<typeof nn.init.calculate_gain>[0], param?: number], number][];
}
const golden = readGolden<Golden>('nn');

testPrograms(golden);

describe('losses equal torch.float64', () => {
  const title = (r: Golden['losses'][number]) =>
    `${r.loss} ${label(r.options)} ${label(r.input)} ${label(r.target)} ×${r.scale}`;
  test.for(golden.losses.map((row) => [title(row), row] as const))('%s', ([, row]) => {
    torch.manual_seed(11);
    const input = signed(row.input)
      .sub(row.loss === 'NLLLoss' ? 1 : 0)
      .mul(row.scale)
      .requires_grad_();
    const classes = row.input[row.input.length === 1 ? 0 : 1] ?? 1;
    const [kind, shape] = row.target;
    const target =
      kind === 'labels'
        ? torch.randint(0, classes, shape)
        : (kind === 'shares' ? torch.rand(shape) : signed(shape)).requires_grad_();
    const options = row.options.weight ? { ...row.options, weight: torch.rand(classes) } : row.options;
    expectLoss((x, y) => (new modules[row.loss]!(options) as nn.MSELoss)(x, y), input, target, row);
  });
});

describe('what is drawn at random equals torch bit for bit', () => {
  test.for(golden.draws.map((row) => [`${row.call} ${label(row.keywords)} [${row.shape}]`, row] as const))(
    '%s',
    ([, row]) => {
      torch.manual_seed(3);
      const drawn = evaluate({ f: row.call, a: [{ t: row.shape }], k: row.keywords }) as tf.Tensor;
      expect(digest(drawn)).toEqual(row.values);
      expect(torch.rand(1).item()).toBe(row.next);
    },
  );

  test.for(golden.dropouts.map((row) => [`dropout ${row.p} [${row.shape}]`, row] as const))('%s', ([, row]) => {
    torch.manual_seed(5);
    if (row.p === 'net') {
      const dropouts = [new nn.Dropout(0.3), new nn.MaxPool2d(2), new nn.Dropout(0.5), new nn.Flatten()];
      expectNetDropped([new nn.Conv2d(2, 3, 3), new nn.ReLU(), ...dropouts], row);
    } else {
      const { p } = row;
      expectDropped((x) => nn.functional.dropout(x, p), row);
    }
  });
});

test.for(golden.gains)('the gain of %j is %d', ([[nonlinearity, param], gain]) => {
  expect(nn.init.calculate_gain(nonlinearity, param)).toBe(gain);
});
