import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import { tolerances } from './tolerances';

/** scripts/golden/nn.py explains the forms of a program. */
type Program = null | boolean | number | string | Program[] | { [key: string]: Program };
type Digest = string | number[];
interface Sample {
  shape: number[];
  largest: number;
  step: number;
  values: number[];
}
interface Golden {
  layers: {
    module: Program;
    input: number[];
    output: Sample;
    input_gradient: Sample;
    gradients: Record<string, Sample>;
  }[];
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
  fresh: { module: Program; seed: number; parameters: Record<string, Digest>; next: number }[];
  draws: { call: string; keywords: Record<string, Program>; shape: number[]; values: Digest; next: number }[];
  dropouts: ({ shape: number[]; next: number } & (
    | { p: number; output: Digest; gradient: Digest }
    | { p: 'net'; output: Sample; gradient: Sample }
  ))[];
  models: {
    module: Program;
    repr: string;
    state_dict: [string, number[]][];
    named_modules: string[];
    named_parameters: string[];
    children: string[];
  }[];
  bad: { program: Program; error: string; text: string }[];
  warned: { program: Program; warnings: string[] }[];
  gains: [[nonlinearity: Parameters<typeof nn.init.calculate_gain>[0], param?: number], number][];
}
const golden: Golden = JSON.parse(readFileSync(new URL('golden/nn.json', import.meta.url), 'utf8'));

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => unknown;
const modules = nn as unknown as Record<string, Constructor>;
const spaces = { F: nn.functional, init: nn.init, nn, torch } as unknown as Record<string, Record<string, Callable>>;

function evaluate(p: Program): unknown {
  if (Array.isArray(p)) return p.map(evaluate);
  if (typeof p !== 'object' || p === null) return p;
  const args = ((p.a as Program[] | undefined) ?? []).map(evaluate);
  if (p.k) args.push(Object.fromEntries(Object.entries(p.k).map(([key, v]) => [key, evaluate(v)])));
  if ('m' in p) return new modules[p.m as string]!(...args);
  if ('f' in p) {
    const [space, name] = (p.f as string).split('.') as [string, string];
    // torch.full gives int64 where its value is one; ours cannot tell.
    if (p.f === 'torch.full') args.push({ dtype: 'int64' });
    return spaces[space]![name]!(...args);
  }
  if ('x' in p) return (evaluate(p.x!) as Callable)(...args);
  if ('do' in p) return (evaluate(p.of!) as Record<string, Callable>)[p.do as string]!(...args);
  if ('set' in p) {
    (evaluate(p.of!) as Record<string, unknown>)[p.set as string] = evaluate(p.to!);
    return undefined;
  }
  if ('t' in p) return torch.zeros(p.t as number[], { dtype: (p.dtype as torch.Dtype | undefined) ?? 'float32' });
  return Object.fromEntries(Object.entries(p).map(([key, v]) => [key, evaluate(v)]));
}

const build = (p: Program) => evaluate(p) as nn.Module & ((x: tf.Tensor) => tf.Tensor);
const signed = (shape: number[]) => tf.tidy(() => torch.rand(shape).mul(2).sub(1));

function digest(t: tf.Tensor): Digest {
  const values = t.dataSync();
  if (values.length <= 20) return [...values];
  return `sha1:${createHash('sha1').update(values).digest('hex').slice(0, 12)}`;
}

/** The largest error of `t` over the largest value that torch.float64 has. */
function errorOf(t: tf.Tensor | null, expected: Sample): number {
  expect(t?.shape).toEqual(expected.shape);
  const values = t!.dataSync();
  let worst = 0;
  for (const [i, v] of expected.values.entries()) {
    const error = Math.abs(values[i * expected.step]! - v);
    // A NaN is an error of infinity.
    worst = error <= worst ? worst : Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return worst === 0 ? 0 : worst / expected.largest;
}

const label = (x: unknown) => JSON.stringify(x).replaceAll('"', '').slice(0, 150);

describe('layers equal torch.float64', () => {
  test.for(golden.layers.map((row) => [`${label(row.module)} ${label(row.input)}`, row] as const))('%s', ([, row]) => {
    torch.manual_seed(7);
    const module = build(row.module);
    const input = signed(row.input).requires_grad_();
    const output = module(input);
    output.backward(signed(output.shape));
    expect(errorOf(output, row.output)).toBeLessThanOrEqual(tolerances.layer);
    expect(errorOf(input.grad, row.input_gradient)).toBeLessThanOrEqual(tolerances.layer);
    for (const [name, expected] of Object.entries(row.gradients)) {
      expect(errorOf(module.get_parameter(name).grad, expected), name).toBeLessThanOrEqual(tolerances.layer);
    }
  });
});

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

describe('what is drawn at random equals torch bit for bit', () => {
  test.for(golden.fresh.map((row) => [`${label(row.module)} seed ${row.seed}`, row] as const))('%s', ([, row]) => {
    torch.manual_seed(row.seed);
    const drawn = [...build(row.module).named_parameters()].map(([name, p]) => [name, digest(p)]);
    expect(Object.fromEntries(drawn)).toEqual(row.parameters);
    expect(torch.rand(1).item()).toBe(row.next);
  });

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

describe('models look like torch', () => {
  test.for(golden.models.map((row) => [label(row.module), row] as const))('%s', ([, row]) => {
    const model = build(row.module);
    const names = (entries: Iterable<[string, unknown]>) => [...entries].map(([name]) => name);
    expect({
      repr: `${model}`,
      state_dict: Object.entries(model.state_dict()).map(([name, t]) => [name, t.shape]),
      named_modules: names(model.named_modules()),
      named_parameters: names(model.named_parameters()),
      children: names(model.named_children()),
    }).toEqual({ ...row, module: undefined });
  });
});

describe('bad input', () => {
  // Ours adds the nearest known keyword.
  const plain = (text: string) => text.replace(/\. Did you mean '\w+'\?$/, '');
  test.for(golden.bad.map((row) => [label(row.program), row] as const))('%s', ([, { program, error, text }]) => {
    let caught: Error | undefined;
    torch.catch_warnings(() => {
      try {
        evaluate(program);
      } catch (e) {
        caught = e as Error;
      }
    });
    expect(`${caught?.name}: ${plain(caught?.message ?? '')}`).toBe(`${error}: ${text}`);
  });

  test.for(golden.warned.map((row) => [label(row.program), row] as const))('warns: %s', ([, { program, warnings }]) => {
    const caught = torch.catch_warnings(() => {
      evaluate(program);
    });
    expect(caught.map((w) => w.message)).toEqual(warnings);
  });
});
