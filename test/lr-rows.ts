import * as tf from '@tensorflow/tfjs-core';
import { catch_warnings, Parameter } from '@tfjs-torch/core';
import type { LRScheduler } from '@tfjs-torch/lr-scheduler';
import * as lr_scheduler from '@tfjs-torch/lr-scheduler';
import * as optim from '@tfjs-torch/optim';
import { readGolden } from './read-golden';

// The rows of test/golden/lr.json; scripts/golden/lr.py says what their keys mean.

export interface Spec {
  name: Exclude<keyof typeof lr_scheduler, 'LRScheduler' | '_LRScheduler'>;
  args?: unknown[];
  kwargs: Record<string, unknown>;
  children?: Spec[];
}
export interface Setting extends Spec {
  opt?: 'SGD' | 'Adam' | 'RMSprop' | 'Adadelta';
  lrs: number[];
  group?: Record<string, number>;
  tensor?: boolean;
  no_optimizer?: boolean;
  other?: number;
}
export interface Row extends Setting {
  by_hand?: [step: number, group: number, lr: number][];
  epochs?: number[];
  metrics?: (number | string)[];
  add?: [step: number, lr: number];
  steps?: number;
  resumes?: boolean;
  trace: number[][];
  momenta?: number[][];
  state: Record<string, unknown>;
  groups: Record<string, number>[];
}
type Message = [string, string];
export type Action = string | [string, ...number[]];

export const golden = readGolden<{
  head: { torch: string; steps: number };
  said: { row: Setting; actions: Action[]; said: Message | Message[] }[];
  refused: { row: Setting; said: Message }[];
  traces: Row[];
}>('lr');

const functions: Record<string, (x: number) => number> = {
  inverse: (t) => 1 / (1 + t),
  decay: (t) => 0.95 ** t,
  third: (t) => (t % 3 ? 1 : 0.9),
  constant: () => 0.97,
  half: () => 0.5,
  inverse_square: (x) => 1 / (1 + x) ** 2,
};

function value(x: unknown): unknown {
  if (Array.isArray(x)) return x.map(value);
  return typeof x === 'object' && x !== null && 'fn' in x ? functions[x.fn as string] : x;
}

/** Python's `Infinity` and `NaN`, which JSON lacks. */
export const numbers: Record<string, number> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};

type Make = new (...args: unknown[]) => LRScheduler;
export type Groups = Record<string, unknown>[];

/** The exports by name. */
const classesOf = (module: object) => module as Record<string, unknown>;

export function make(spec: Spec, optimizer: unknown, other?: number): LRScheduler {
  const Class = classesOf(lr_scheduler)[spec.name] as unknown as Make;
  const kwargs = Object.fromEntries(Object.entries(spec.kwargs).map(([key, x]) => [key, value(x)]));
  if (!spec.children) return new Class(optimizer, ...(spec.args ?? []).map(value), kwargs);
  const children = spec.children.map((child, i) => make(child, i === other ? optimizerOf(spec as Setting) : optimizer));
  return spec.name === 'ChainedScheduler'
    ? new Class(children, optimizer, kwargs)
    : new Class(optimizer, children, kwargs);
}

// Optimizers may share parameters, and here nothing is trained.
const parameters = Array.from({ length: 4 }, () => new Parameter(tf.ones([1])));

export function optimizerOf(row: Pick<Setting, 'lrs' | 'opt' | 'group' | 'tensor'>): optim.Optimizer<object> {
  const Class = classesOf(optim)[row.opt ?? 'SGD'] as new (groups: Groups) => optim.Optimizer<object>;
  return new Class(
    row.lrs.map((lr, i) => ({ params: [parameters[i]!], lr: row.tensor ? tf.scalar(lr) : lr, ...row.group })),
  );
}

export function addGroup(optimizer: optim.Optimizer<object>, group: object = {}): void {
  optimizer.add_param_group({ params: [parameters[optimizer.param_groups.length]!], ...group });
}

export const number = (lr: unknown): number => (lr instanceof tf.Tensor ? lr.dataSync()[0]! : (lr as number));
export const rates = (optimizer: optim.Optimizer<object>): number[] => optimizer.param_groups.map((g) => number(g.lr));
export const momenta = (optimizer: optim.Optimizer<object>): number[] =>
  optimizer.param_groups.map((g) => (Array.isArray(g.betas) ? g.betas[0] : (g.momentum as number)));

export function quiet<T>(f: () => T): T {
  let result: T | undefined;
  catch_warnings(() => {
    result = f();
  });
  return result as T;
}

export interface Run {
  optimizer: optim.Optimizer<object>;
  scheduler: LRScheduler;
}
export const build = (row: Row): Run => {
  const optimizer = optimizerOf(row);
  return { optimizer, scheduler: make(row, optimizer) };
};

export const stepsOf = (row: Row): number => row.epochs?.length ?? row.steps ?? golden.head.steps;

/** One step, and what the row does before it. */
export function stepOnce(row: Row, k: number, { optimizer, scheduler }: Run): void {
  for (const [step, group, lr] of row.by_hand ?? []) if (step === k) optimizer.param_groups[group]!.lr = lr;
  if (row.add?.[0] === k) addGroup(optimizer, { lr: row.add[1] });
  const argument = row.epochs ? row.epochs[k]! : row.metrics?.[k];
  if (argument === undefined) scheduler.step();
  else scheduler.step(typeof argument === 'string' ? numbers[argument]! : argument);
}
