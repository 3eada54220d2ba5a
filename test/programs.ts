/** Cases of torch.nn that scripts/golden/programs.py records: how to run them, and the tests that compare. */
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import { tolerances } from './tolerances';

/** scripts/golden/programs.py explains the forms. */
export type Program = null | boolean | number | string | Program[] | { [key: string]: Program };
export type Digest = string | number[];
export interface Sample {
  shape: number[];
  largest: number;
  step: number;
  values: number[];
}

export type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => unknown;
export const modules = nn as unknown as Record<string, Constructor>;
const spaces = { F: nn.functional, init: nn.init, nn, torch } as unknown as Record<string, Record<string, Callable>>;

export function evaluate(p: Program): unknown {
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

export const build = (p: Program) => evaluate(p) as nn.Module & ((x: tf.Tensor) => tf.Tensor);
export const signed = (shape: number[]) => tf.tidy(() => torch.rand(shape).mul(2).sub(1));

export function digest(t: tf.Tensor): Digest {
  const values = t.dataSync();
  if (values.length <= 20) return [...values];
  return `sha1:${createHash('sha1').update(values).digest('hex').slice(0, 12)}`;
}

/** The largest error of `t` over the largest value that torch.float64 has. */
export function errorOf(t: tf.Tensor | null, expected: Sample): number {
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

export const label = (x: unknown) => JSON.stringify(x).replaceAll('"', '').slice(0, 150);

interface LayerRow {
  module: Program;
  input: number[];
  output: Sample;
  input_gradient: Sample;
  gradients: Record<string, Sample>;
}
const testLayers = (rows: LayerRow[]) =>
  describe('layers equal torch.float64', () => {
    test.for(rows.map((row) => [`${label(row.module)} ${label(row.input)}`, row] as const))('%s', ([, row]) => {
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

interface FreshRow {
  module: Program;
  seed: number;
  parameters: Record<string, Digest>;
  next: number;
}
const testFresh = (rows: FreshRow[]) =>
  describe('what is drawn at random equals torch bit for bit', () => {
    test.for(rows.map((row) => [`${label(row.module)} seed ${row.seed}`, row] as const))('%s', ([, row]) => {
      torch.manual_seed(row.seed);
      const drawn = [...build(row.module).named_parameters()].map(([name, p]) => [name, digest(p)]);
      expect(Object.fromEntries(drawn)).toEqual(row.parameters);
      expect(torch.rand(1).item()).toBe(row.next);
    });
  });

interface ModelRow {
  module: Program;
  repr: string;
  state_dict: [string, number[]][];
  named_modules: string[];
  named_parameters: string[];
  children: string[];
}
const testModels = (rows: ModelRow[]) =>
  describe('models look like torch', () => {
    test.for(rows.map((row) => [label(row.module), row] as const))('%s', ([, row]) => {
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

interface BadRow {
  program: Program;
  error: string;
  text: string;
}
interface WarnedRow {
  program: Program;
  warnings: string[];
}
const testBad = (bad: BadRow[], warned: WarnedRow[]) =>
  describe('bad input', () => {
    // Ours adds the nearest known keyword.
    const plain = (text: string) => text.replace(/\. Did you mean '\w+'\?$/, '');
    test.for(bad.map((row) => [label(row.program), row] as const))('%s', ([, { program, error, text }]) => {
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

    test.for(warned.map((row) => [label(row.program), row] as const))('warns: %s', ([, { program, warnings }]) => {
      const caught = torch.catch_warnings(() => {
        evaluate(program);
      });
      expect(caught.map((w) => w.message)).toEqual(warnings);
    });
  });

/** What every golden file of programs may hold. */
export interface Programs {
  layers?: LayerRow[];
  fresh?: FreshRow[];
  models?: ModelRow[];
  bad: BadRow[];
  warned: WarnedRow[];
}
export function testPrograms({ layers, fresh, models, bad, warned }: Programs): void {
  if (layers) testLayers(layers);
  if (fresh) testFresh(fresh);
  if (models) testModels(models);
  testBad(bad, warned);
}

/** The result of what may warn. */
export function quietly<T>(f: () => T): T {
  let result: T;
  torch.catch_warnings(() => {
    result = f();
  });
  return result!;
}

export interface LossRow {
  value: Sample;
  input_gradient: Sample;
  target_gradient?: Sample;
  warnings?: string[];
}
export function expectLoss(
  loss: (input: tf.Tensor, target: tf.Tensor) => tf.Tensor,
  input: tf.Tensor,
  target: tf.Tensor,
  expected: LossRow,
): void {
  let value: tf.Tensor;
  const caught = torch.catch_warnings(() => {
    value = loss(input, target);
  });
  expect(caught.map((w) => w.message)).toEqual(expected.warnings ?? []);
  value!.backward(signed(value!.shape));
  expect(errorOf(value!, expected.value)).toBeLessThanOrEqual(tolerances.loss);
  expect(errorOf(input.grad, expected.input_gradient)).toBeLessThanOrEqual(tolerances.layer);
  if (expected.target_gradient) {
    expect(errorOf(target.grad, expected.target_gradient)).toBeLessThanOrEqual(tolerances.layer);
  }
}

export interface DroppedRow<Recorded = Digest> {
  shape: number[];
  output: Recorded;
  gradient: Recorded;
  /** The generator's next number. */
  next: number;
}
/** What is dropped is torch's bit for bit; -0 too, where a negative value was dropped. */
export function expectDropped(dropout: (x: tf.Tensor) => tf.Tensor, row: DroppedRow): void {
  const input = signed(row.shape).requires_grad_();
  const output = dropout(input);
  output.backward(torch.ones(row.shape));
  expect(digest(output)).toEqual(row.output);
  expect(digest(input.grad!)).toEqual(row.gradient);
  expect(torch.rand(1).item()).toBe(row.next);
}
/** The same behind a convolution, whose gradient is compared. */
export function expectNetDropped(net: [nn.Conv2d, ...nn.Module[]], row: DroppedRow<Sample>): void {
  const output = new nn.Sequential(...net)(signed(row.shape)) as tf.Tensor;
  output.sum().backward();
  expect(errorOf(output, row.output)).toBeLessThanOrEqual(tolerances.layer);
  expect(errorOf(net[0].weight.grad, row.gradient)).toBeLessThanOrEqual(tolerances.layer);
  expect(torch.rand(1).item()).toBe(row.next);
}
