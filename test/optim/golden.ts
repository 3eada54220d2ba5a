import { readFileSync } from 'node:fs';
import type { SGD, sgd } from '@tfjs-torch/optim';
import * as optim from '@tfjs-torch/optim';
import type { DType, Group, HostTensor, Step, Trace, Value } from '@tfjs-torch/parity';

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

/** A value of a case as a trace has it. */
export const hostValue = (x: unknown, dtype: DType): Value =>
  withTensors(x, (t) => host(t.$tensor, t.shape, dtype)) as Value;
const host = (values: readonly number[], shape: readonly number[], dtype: DType): HostTensor => ({
  dtype,
  shape,
  data: dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values),
});

/** The names of parameters in a case's trace. */
export const nameOf = (i: number) => `parameter ${i}`;

interface Origin {
  head: Omit<Golden['head'], 'format'>;
  problem: Pick<Problem, 'shapes' | 'starts'>;
  /** By step, by parameter, if they are dense and given. */
  grads?: Problem['grads'];
  /** The optimizer's, if it has one. */
  rule?: { defaults: object; positional: readonly string[] };
}

/**
 * A case as a golden of @tfjs-torch/parity; the file is a suite of them, whose cases share starts and gradients. Without the state
 * but for the last step, which is all that was recorded.
 */
export function traceOf(
  c: Omit<Case, 'state'> & { state: Record<string, Record<string, unknown>>; losses?: number[] },
  { head, problem: { shapes, starts }, grads: gradients, rule }: Origin,
): Trace {
  const given = Object.fromEntries((c.args ?? []).map((value, i) => [rule?.positional[i] ?? i, value]));
  const defaults = { ...rule?.defaults, ...given, ...c.kwargs };
  const model = (values: readonly number[][]) =>
    Object.fromEntries(values.map((v, i) => [nameOf(i), host(v, shapes[i]!, c.dtype)]));
  const members = c.groups?.map((g) => g.params) ?? [starts.map((_, i) => i)];
  // The recorded state counts parameters over the groups.
  const order = members.flat();
  const entries = Object.entries(c.state).map(([id, entry]) => [nameOf(order[Number(id)]!), hostValue(entry, c.dtype)]);
  const state = Object.fromEntries(entries) as NonNullable<Step['before']['state']>;

  const groups = members.map((params, i) => ({ ...defaults, ...c.groups?.[i], params: params.map(nameOf) }));
  const last = c.params.length - 1;
  let before: Step['before'] = { model: model(starts), state: null };
  const steps = c.params.map((values, step): Step => {
    for (const { step: at, group, ...options } of c.changes ?? [])
      if (at === step) Object.assign(groups[group]!, options);
    const after = { model: model(values), state: step === last ? state : null };
    const missing = new Set(c.missing?.filter(([at]) => at === step).map(([, p]) => p));
    const grads = Object.fromEntries(
      (gradients?.[step] ?? []).map((g, i) => [nameOf(i), missing.has(i) ? null : host(g, shapes[i]!, c.dtype)]),
    );
    const param_groups = groups.map((group) => hostValue(group, c.dtype) as unknown as Group);
    const begun = before;
    before = after;
    return {
      step,
      inputs: [],
      param_groups,
      before: begun,
      loss: c.losses ? Math.fround(c.losses[step]!) : null,
      grads,
      after,
    };
  });
  const { torch, threads, cpu, seed } = head;
  const optimizer = { name: c.name, defaults: hostValue(defaults, c.dtype) as Trace['head']['optimizer']['defaults'] };
  return {
    head: { format: 1, torch, tfjs: null, cpu, machine: null, threads, seed, dtype: c.dtype, optimizer },
    steps,
  };
}
