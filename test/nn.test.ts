import { readFileSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import {
  type BadRow,
  type Callable,
  type Digest,
  digest,
  errorOf,
  evaluate,
  type FreshRow,
  type LayerRow,
  label,
  type ModelRow,
  modules,
  type Program,
  type Sample,
  signed,
  testBad,
  testFresh,
  testLayers,
  testModels,
  type WarnedRow,
} from './programs';
import { tolerances } from './tolerances';

interface Golden {
  layers: LayerRow[];
  losses: {
    loss: 'CrossEntropyLoss' | 'NLLLoss' | 'MSELoss' | 'L1Loss';
    options: Record<string, unknown>;
    input: number[];
    target: ['labels' | 'shares' | 'values', number[]];
    scale: number;
    value: Sample;
    input_gradient: Sample;
    target_gradient?: Sample;
    warnings?: string[];
  }[];
  fresh: FreshRow[];
  draws: { call: string; keywords: Record<string, Program>; shape: number[]; values: Digest; next: number }[];
  dropouts: ({ shape: number[]; next: number } & (
    | { p: number; output: Digest; gradient: Digest }
    | { p: 'net'; output: Sample; gradient: Sample }
  ))[];
  models: ModelRow[];
  bad: BadRow[];
  warned: WarnedRow[];
  gains: [[nonlinearity: Parameters<typeof nn.init.calculate_gain>[0], param?: number], number][];
}
const golden: Golden = JSON.parse(readFileSync(new URL('golden/nn.json', import.meta.url), 'utf8'));

testLayers(golden.layers);

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
    let loss: tf.Tensor | undefined;
    const caught = torch.catch_warnings(() => {
      loss = (new modules[row.loss]!(options) as Callable)(input, target) as tf.Tensor;
    });
    expect(caught.map((w) => w.message)).toEqual(row.warnings ?? []);
    loss!.backward(signed(loss!.shape));
    expect(errorOf(loss!, row.value)).toBeLessThanOrEqual(tolerances.loss);
    expect(errorOf(input.grad, row.input_gradient)).toBeLessThanOrEqual(tolerances.layer);
    if (row.target_gradient) {
      expect(errorOf(target.grad, row.target_gradient)).toBeLessThanOrEqual(tolerances.layer);
    }
  });
});

testFresh(golden.fresh);

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
      const conv = new nn.Conv2d(2, 3, 3);
      const net = new nn.Sequential(
        conv,
        new nn.ReLU(),
        new nn.Dropout(0.3),
        new nn.MaxPool2d(2),
        new nn.Dropout(0.5),
        new nn.Flatten(),
      );
      const output = net(signed(row.shape));
      output.sum().backward();
      expect(errorOf(output, row.output)).toBeLessThanOrEqual(tolerances.layer);
      expect(errorOf(conv.weight.grad, row.gradient)).toBeLessThanOrEqual(tolerances.layer);
    } else {
      const input = signed(row.shape).requires_grad_();
      const output = nn.functional.dropout(input, row.p);
      output.backward(torch.ones(row.shape));
      // -0 where a negative value was dropped: torch has it too, and toEqual would tell it from 0.
      expect(digest(output)).toEqual(row.output);
      expect(digest(input.grad!)).toEqual(row.gradient);
    }
    expect(torch.rand(1).item()).toBe(row.next);
  });

  test('dropout draws nothing in eval mode', () => {
    const layer = new nn.Dropout(0.5).eval();
    torch.manual_seed(1);
    const x = torch.ones(5);
    expect(layer(x)).toBe(x);
    const next = torch.rand(1).item();
    torch.manual_seed(1);
    expect(torch.rand(1).item()).toBe(next);
  });
});

test.for(golden.gains)('the gain of %j is %d', ([[nonlinearity, param], gain]) => {
  expect(nn.init.calculate_gain(nonlinearity, param)).toBe(gain);
});

testModels(golden.models);

testBad(golden.bad, golden.warned);
