import { readFileSync } from 'node:fs';
import type { SGD, sgd } from '@tfjs-torch/optim';
import * as optim from '@tfjs-torch/optim';

/** What scripts/golden/optim.py writes. */
export interface Golden {
  head: { format: number; torch: string; seed: number; threads: number; cpu: string };
  problems: Record<string, Problem>;
  cases: Case[];
  errors: ErrorCase[];
}

/** Where parameters start, and their gradients by step. */
export interface Problem {
  shapes: number[][];
  starts: number[][];
  grads: number[][][];
}

export interface Case {
  name: string;
  desc: string;
  dtype: 'float64' | 'float32';
  /** `main` if left out. */
  problem?: string;
  args?: unknown[];
  kwargs: Record<string, unknown>;
  /** Parameters by index. */
  groups?: ({ params: number[] } & Record<string, unknown>)[];
  named?: string[];
  /** [step, parameter] without a gradient. */
  missing?: [number, number][];
  /** Options set before a step. */
  changes?: ({ step: number; group: number } & Record<string, unknown>)[];
  /** By step, by parameter. */
  params: number[][][];
  state: Record<string, Record<string, { $tensor: number[]; shape: number[] }>>;
  param_groups: Record<string, unknown>[];
  repr: string;
}

export interface ErrorCase {
  name: Case['name'];
  desc: string;
  params: unknown;
  args: unknown[];
  kwargs: Record<string, unknown>;
  calls: [method: string, ...args: unknown[]][];
  error: { class: string; text: string; warning?: boolean };
}

export const golden = JSON.parse(readFileSync(new URL('../golden/optim.json', import.meta.url), 'utf8')) as Golden;

/** A float32 is written with the fewest digits that give it back; this gives it back. */
const exact = (values: number[]) =>
  values.forEach((x, i) => {
    values[i] = Math.fround(x);
  });
for (const { starts, grads } of Object.values(golden.problems)) {
  starts.forEach(exact);
  grads.flat().forEach(exact);
}
export const problemOf = (c: Case) => golden.problems[c.problem ?? 'main']!;

/** Torch's class by name. */
export const optimizers: Record<string, (new (...args: unknown[]) => SGD) & { readonly rule: typeof sgd }> = {};
for (const [name, value] of Object.entries(optim)) {
  if (/^[A-Z]/.test(name)) optimizers[name] = value as unknown as (typeof optimizers)[string];
}

export const isTensor = (x: unknown): x is { $tensor: number[]; shape: number[] } =>
  typeof x === 'object' && x !== null && '$tensor' in x;

/** Replaces every recorded tensor in a value. */
export function withTensors(x: unknown, make: (t: { $tensor: number[]; shape: number[] }) => unknown): unknown {
  if (isTensor(x)) return make(x);
  if (Array.isArray(x)) return x.map((v) => withTensors(v, make));
  if (typeof x !== 'object' || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, withTensors(v, make)]));
}
