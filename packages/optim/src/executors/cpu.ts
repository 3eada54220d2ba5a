import * as tf from '@tensorflow/tfjs-core';
import * as internal from '@tfjs-torch/core/update';
import { getOrMake } from '../get-or-make';
import { type Algebra, fold } from '../rule/expr';
import type { Trace } from '../rule/rule';
import { arrayOperations } from './arrays';
import type { Executor, Item } from './index';
import { onlyOn } from './only-on';
import { mayOverwrite, recordOf, renew, tensorOf } from './storage';

/** What is used of tfjs-backend-cpu. */
interface CpuBackend {
  data: { get(dataId: tf.DataId): Storage };
  write(values: Float32Array, shape: number[], dtype: 'float32'): tf.DataId;
}

interface Storage {
  values: Float32Array;
  readonly refCount: number;
}

/**
 * Updates one parameter. `s`: the scalars; `x`: param, grad and the slots; `y`: the outputs; each in the trace's order. An
 * output may be one of the inputs.
 */
export type Kernel = (
  s: Readonly<Record<string, number>>,
  x: readonly Float32Array[],
  y: readonly Float32Array[],
) => void;

const inputs = ({ slots }: Trace) => ['param', 'grad', ...slots];

const rounded =
  (operator: string) =>
  (a = '', b = '') =>
    `fround(${a} ${operator} ${b})`;
const literal = (x: number) => (Object.is(Math.fround(x), -0) ? '(-0)' : `(${Math.fround(x)})`);

const expressions: Omit<Algebra<string>, 'leaf'> = {
  add: rounded('+'),
  sub: rounded('-'),
  mul: rounded('*'),
  div: rounded('/'),
  max: (a, b) => `${a} > ${b} || ${a} !== ${a} ? ${a} : ${b}`,
  min: (a, b) => `${a} < ${b} || ${a} !== ${a} ? ${a} : ${b}`,
  gt: (a, b) => `${a} > ${b}`,
  where: (condition, a, b) => `${condition} ? ${a} : ${b}`,
  neg: (a) => `-${a}`,
  sqrt: (a) => `fround(Math.sqrt(${a}))`,
  abs: (a) => `Math.abs(${a})`,
  sign: (a) => `(${a} > 0) - (${a} < 0)`,
};

/** One loop over all elements, as source that the engine compiles. */
export function generated(traced: Trace): Kernel {
  const names = inputs(traced);
  const lines: string[] = [];
  const bound = Object.entries(expressions).map(([op, expression]) => [
    op,
    (...args: string[]) => {
      lines.push(`const t${lines.length} = ${expression(...args)};`);
      return `t${lines.length - 1}`;
    },
  ]);
  const results = fold(Object.values(traced.outputs), {
    ...(Object.fromEntries(bound) as typeof expressions),
    leaf(op, name) {
      if (op === 'input') return `v${names.indexOf(name as string)}`;
      return op === 'scalar' ? `s${traced.scalars.indexOf(name as string)}` : literal(name as number);
    },
  });
  const source = [
    'const { fround } = Math;',
    ...traced.scalars.map((name, i) => `const s${i} = fround(s[${JSON.stringify(name)}]);`),
    ...names.map((_, i) => `const x${i} = x[${i}];`),
    ...results.map((_, i) => `const y${i} = y[${i}];`),
    'for (let i = 0, n = x0.length; i < n; i++) {',
    ...names.map((_, i) => `const v${i} = x${i}[i];`),
    ...lines,
    ...results.map((result, i) => `y${i}[i] = ${result};`),
    '}',
  ];
  return new Function('s', 'x', 'y', source.join('\n')) as Kernel;
}

const operations = arrayOperations<Float32Array>((length) => new Float32Array(length));
/** So many elements at a time: they stay in the cache. */
const BLOCK = 2048;

/** The same where source may not be compiled (a page's security policy): one loop for each operation. */
export function interpreted(traced: Trace): Kernel {
  const names = inputs(traced);
  return (s, x, y) => {
    const n = x[0]!.length;
    for (let start = 0; start < n; start += BLOCK) {
      const end = Math.min(start + BLOCK, n);
      const values = fold<Float32Array>(Object.values(traced.outputs), {
        ...operations,
        leaf(op, name) {
          if (op === 'input') return x[names.indexOf(name as string)]!.slice(start, end);
          return new Float32Array(end - start).fill(op === 'scalar' ? s[name]! : (name as number));
        },
      });
      values.forEach((value, i) => {
        y[i]!.set(value, start);
      });
    }
  };
}

let evaluates: boolean | undefined;
/** Whether this page or process lets source be compiled. */
function allowsEval(): boolean {
  try {
    evaluates ??= Boolean(new Function('return true')());
  } catch {
    evaluates = false;
  }
  return evaluates;
}

const kernels = new WeakMap<Trace, Kernel>();
const kernelOf = (traced: Trace) => getOrMake(kernels, traced, () => (allowsEval() ? generated : interpreted)(traced));

/** Loops over the typed arrays in which tfjs-backend-cpu keeps its tensors. */
export const cpu: Executor = {
  name: 'cpu',
  unavailable: () => onlyOn('cpu'),
  run(jobs) {
    const backend = tf.backend() as unknown as CpuBackend;
    // All that can fail is done before the first parameter changes.
    const ready = jobs.flatMap(({ traced, scalars, items }) => {
      const [kernel, names, written] = [kernelOf(traced), inputs(traced), Object.keys(traced.outputs)];
      return items.map((item) => new Update(backend, item, names, written, (x, y) => kernel(scalars, x, y)));
    });
    for (const update of ready) update.run();
  },
};

/** The update of one parameter. */
class Update {
  readonly #x: Float32Array[] = [];
  readonly #y: Float32Array[] = [];
  /** What is written elsewhere, and where. */
  readonly #fresh: { t: tf.Tensor; values: Float32Array }[] = [];

  constructor(
    private readonly backend: CpuBackend,
    private readonly item: Item,
    names: readonly string[],
    written: readonly string[],
    private readonly kernel: (x: readonly Float32Array[], y: readonly Float32Array[]) => void,
  ) {
    for (const name of names) this.#x.push(recordOf(tensorOf(item, name), backend, backend.data).values);
    for (const name of written) {
      const t = tensorOf(item, name);
      const values = mayOverwrite(t) ? this.#x[names.indexOf(name)]! : new Float32Array(t.size);
      if (!mayOverwrite(t)) this.#fresh.push({ t, values });
      this.#y.push(values);
    }
  }

  run() {
    const { backend, item } = this;
    this.kernel(this.#x, this.#y);
    for (const { t, values } of this.#fresh) {
      const storage = recordOf(t, backend, backend.data);
      // Who has read a parameter has the old array, and keeps it; only handles share the storage itself.
      if (t === item.param && storage.refCount === 1) {
        storage.values = values;
        internal.overwritten(t);
      } else renew(t, backend.write(values, t.shape, 'float32'));
    }
  }
}
