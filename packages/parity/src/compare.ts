import { ValueError } from '@tfjs-torch/core';
import { apart, relativeError, ulpDistance } from './distance';
import {
  type DType,
  type Head,
  type HostTensor,
  isHostTensor,
  type Snapshot,
  type Step,
  type Trace,
  type Value,
} from './trace';

/** What a tensor is: `input` a batch's, `model` a parameter or a buffer. */
export const kinds = ['input', 'loss', 'grad', 'model', 'state', 'option'] as const;
/** One of the kinds by which a comparison is grouped and judged. */
export type Kind = (typeof kinds)[number];

/** How far one tensor, or one number, is from the golden's. */
export interface Distance {
  readonly step: number;
  /** Whether it is from before the step: a start that differs. */
  readonly before: boolean;
  readonly kind: Kind;
  /** `fc.weight`; of a state `fc.weight exp_avg`. */
  readonly name: string;
  /** The largest difference over the largest magnitude in the golden's tensor. */
  readonly relative: number;
  /** The largest number of floats between two entries, in float64 if both are float64. */
  readonly ulp: number;
  /** The entry that differs most, counted in row-major order, and its two values. */
  readonly at: number;
  readonly actual: number;
  readonly expected: number;
}

/** One number for all kinds, or one for each; a kind that is left out must be equal. */
export type Tolerance = number | Partial<Record<Kind, number>>;

/** What {@link compare} looks at. */
export interface CompareOptions {
  /** The kinds that are compared. @defaultValue all that the golden has */
  only?: readonly Kind[];
}

/** Options that say how to compute, and not what. */
const hints = ['foreach', 'fused', 'capturable', 'differentiable'];

type Numeric = number | HostTensor;
const isNumeric = (x: Value): x is Numeric => typeof x === 'number' || isHostTensor(x);
const asTensor = (x: Numeric, dtype: DType): HostTensor =>
  typeof x === 'number' ? { dtype, shape: [], data: Float64Array.of(x) } : x;
const describe = (x: Value): string =>
  isHostTensor(x) ? `a tensor [${x.shape}]` : Array.isArray(x) ? `a list of ${x.length}` : JSON.stringify(x);

/** Collects distances, and what has none. */
class Comparing {
  readonly rows: Distance[] = [];
  readonly problems: string[] = [];

  /** @param dtype of the coarser trace: what a loss or a number of a state is, written as a float64 */
  constructor(
    private readonly only: readonly Kind[],
    private readonly dtype: DType,
    private readonly options: readonly string[],
  ) {}

  wants(kind: Kind): boolean {
    return this.only.includes(kind);
  }

  values(a: Value, e: Value, place: Pick<Distance, 'step' | 'before' | 'kind' | 'name'>): void {
    const mismatch = () => this.problems.push(`${titleOf(place)} is ${describe(a)}, and in the golden ${describe(e)}`);
    if (isNumeric(a) && isNumeric(e)) {
      const dtype = place.kind === 'option' ? 'float64' : this.dtype;
      const [actual, expected] = [asTensor(a, dtype), asTensor(e, dtype)];
      if (actual.shape.join() !== expected.shape.join()) mismatch();
      else this.rows.push({ ...place, ...distance(actual, expected) });
    } else if (Array.isArray(a) && Array.isArray(e)) {
      if (a.length !== e.length) mismatch();
      else e.forEach((x, i) => void this.values(a[i] as Value, x as Value, { ...place, name: `${place.name}[${i}]` }));
    } else if (isDict(a) && isDict(e)) this.dicts(a, e, place);
    else if (a !== e) mismatch();
  }

  /** The entries of two dicts of the same keys. */
  dicts(
    a: Readonly<Record<string, Value>>,
    e: Readonly<Record<string, Value>>,
    place: Pick<Distance, 'step' | 'before' | 'kind' | 'name'>,
  ): void {
    const titled = (key: string) => ({ ...place, name: place.name ? `${place.name} ${key}` : key });
    for (const key of Object.keys(e)) if (!(key in a)) this.problems.push(`${titleOf(titled(key))} is missing`);
    for (const [key, value] of Object.entries(a)) {
      if (key in e) this.values(value, e[key]!, titled(key));
      else this.problems.push(`${titleOf(titled(key))} is not in the golden`);
    }
  }

  snapshots(a: Snapshot | null, e: Snapshot | null, place: Pick<Distance, 'step' | 'before'>): void {
    if (!e) return;
    for (const kind of ['model', 'state'] as const) {
      const [actual, expected] = [a?.[kind], e[kind]];
      if (!this.wants(kind) || !expected) continue;
      if (actual) this.dicts(actual, expected, { ...place, kind, name: '' });
      else
        this.problems.push(`step ${place.step}: the ${kind} ${place.before ? 'before' : 'after'} it was not recorded`);
    }
  }

  steps(a: Step, e: Step, startsAnew: boolean): void {
    const place = { step: e.step, before: false, name: '' };
    if (startsAnew) this.snapshots(a.before, e.before, { step: e.step, before: true });
    if (this.wants('input')) this.values(a.inputs, e.inputs, { ...place, kind: 'input' });
    if (this.wants('loss') && e.loss !== null) this.values(a.loss, e.loss, { ...place, kind: 'loss' });
    if (this.wants('grad')) this.dicts(a.grads, e.grads, { ...place, kind: 'grad' });
    if (this.wants('option') && e.param_groups) {
      const known = (group: object) =>
        Object.fromEntries(Object.entries(group).filter(([key]) => this.options.includes(key)));
      const [own, theirs] = [a, e].map(({ param_groups }) => param_groups?.map(known) ?? null);
      this.values(own as Value, theirs as Value, { ...place, kind: 'option' });
    }
    this.snapshots(a.after, e.after, { step: e.step, before: false });
  }
}

const isDict = (x: Value): x is Readonly<Record<string, Value>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);
const titles: Record<Kind, string> = {
  input: 'input',
  loss: 'loss',
  grad: 'gradient of',
  model: '',
  state: 'state of',
  option: 'option',
};
const titleOf = ({ step, before, kind, name }: Pick<Distance, 'step' | 'before' | 'kind' | 'name'>) =>
  [`${before ? 'before ' : ''}step ${step}:`, titles[kind], name].filter((word) => word !== '').join(' ');

function distance(
  actual: HostTensor,
  expected: HostTensor,
): Pick<Distance, 'relative' | 'ulp' | 'at' | 'actual' | 'expected'> {
  const dtype = actual.dtype === 'float64' && expected.dtype === 'float64' ? 'float64' : 'float32';
  const [a, e] = [actual.data, expected.data];
  let [at, farthest, ulp] = [0, -1, 0];
  for (let i = 0; i < e.length; i++) {
    const difference = apart(a[i]!, e[i]!);
    if (difference > 0) ulp = Math.max(ulp, ulpDistance(a[i]!, e[i]!, dtype));
    if (difference > farthest) [at, farthest] = [i, difference];
  }
  return { relative: relativeError(a, e), ulp, at, actual: a[at] ?? Number.NaN, expected: e[at] ?? Number.NaN };
}

/** How far a trace is from a golden. */
export class Comparison {
  /** Every tensor of every step, the farthest first. */
  readonly rows: readonly Distance[];
  readonly #head: Head;

  constructor(rows: readonly Distance[], head: Head) {
    this.rows = [...rows].sort((a, b) => order(b.relative, a.relative) || order(b.ulp, a.ulp) || a.step - b.step);
    this.#head = head;
  }

  /** The largest relative distance; 0 if all is equal. */
  get worst(): number {
    return this.rows[0]?.relative ?? 0;
  }

  /** The rows that are further than `tolerance`, a relative distance. */
  above(tolerance: Tolerance): Distance[] {
    const limit = (kind: Kind) => (typeof tolerance === 'number' ? tolerance : (tolerance[kind] ?? 0));
    return this.rows.filter(({ kind, relative }) => !(relative <= limit(kind)));
  }

  within(tolerance: Tolerance): boolean {
    return this.above(tolerance).length === 0;
  }

  /** The farthest of each kind, and the `count` farthest of all. */
  report({ count = 10 } = {}): string {
    const { torch, cpu, threads, seed, dtype } = this.#head;
    const steps = new Set(this.rows.map(({ step }) => step)).size;
    const made = [torch ? `torch ${torch}` : 'a trace', cpu, threads && `${threads} threads`, `seed ${seed}`, dtype];
    const table = [
      ['', 'tensors', 'equal', 'relative', 'ulp'],
      ...kinds.flatMap((kind) => {
        const rows = this.rows.filter((row) => row.kind === kind);
        if (rows.length === 0) return [];
        const equal = rows.filter(({ relative }) => relative === 0).length;
        const ulp = rows.reduce((most, row) => Math.max(most, row.ulp), 0);
        return [[kind, `${rows.length}`, `${equal}`, figure(rows[0]!.relative), `${ulp}`]];
      }),
    ];
    const worst = this.rows.filter(({ relative }) => relative > 0).slice(0, count);
    const list = worst.map((row) => [
      titleOf(row),
      figure(row.relative),
      `${row.ulp} ulp`,
      `[${row.at}] ${row.actual}, golden ${row.expected}`,
    ]);
    return [
      `${steps} steps beside ${made.filter(Boolean).join(', ')}`,
      ...columns(table),
      ...(list.length > 0 ? ['', 'farthest:', ...columns(list)] : []),
    ].join('\n');
  }

  toString(): string {
    return this.report();
  }
}

/** Of two numbers, for sorting; infinities are equal to themselves. */
const order = (a: number, b: number) => (a === b ? 0 : a - b);
const figure = (x: number) => (x === 0 ? '0' : x.toExponential(1));
function columns(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
}

/** At most so many problems are listed. */
const LISTED = 20;

/**
 * Compares all that the golden has: batches, losses, gradients, parameters, buffers, state, the optimizer's own options.
 * @throws ValueError with a list of all that has no distance: steps, tensors, entries and shapes that do not fit
 */
export function compare(trace: Trace, golden: Trace, { only = kinds }: CompareOptions = {}): Comparison {
  const { defaults } = golden.head.optimizer;
  const dtype = trace.head.dtype === 'float64' ? golden.head.dtype : trace.head.dtype;
  const comparing = new Comparing(only, dtype, [
    'params',
    ...Object.keys(defaults).filter((key) => !hints.includes(key)),
  ]);
  const numbers = ({ steps }: Trace) => steps.map(({ step }) => step).join(', ');
  if (numbers(trace) !== numbers(golden)) {
    comparing.problems.push(
      `the steps are ${numbers(trace) || 'none'}, and in the golden ${numbers(golden) || 'none'}`,
    );
  } else {
    golden.steps.forEach((step, i) => {
      comparing.steps(trace.steps[i]!, step, step.before !== golden.steps[i - 1]?.after);
    });
  }
  const { rows, problems } = comparing;
  if (problems.length > 0) {
    const more = problems.length > LISTED ? [`… and ${problems.length - LISTED} more`] : [];
    throw new ValueError(['the trace does not fit the golden:', ...problems.slice(0, LISTED), ...more].join('\n\t'));
  }
  if (rows.length === 0)
    throw new ValueError('there is nothing to compare: the golden has no steps, or none of these kinds');
  return new Comparison(rows, golden.head);
}
