import { type Algebra, fold } from '../rule/expr';
import { type AnyRule, type Trace, trace } from '../rule/rule';
import { begin, commit, type SlotState } from '../rule/state';

type Value = Float64Array | number;

const lift =
  (f: (...x: number[]) => number) =>
  (...args: Value[]): Value => {
    const arrays = args.filter((a) => typeof a !== 'number');
    if (arrays.length === 0) return f(...(args as number[]));
    return Float64Array.from({ length: arrays[0]!.length }, (_, i) =>
      f(...args.map((a) => (typeof a === 'number' ? a : a[i]!))),
    );
  };

const operations: Omit<Algebra<Value>, 'leaf'> = {
  add: lift((a, b) => a! + b!),
  sub: lift((a, b) => a! - b!),
  mul: lift((a, b) => a! * b!),
  div: lift((a, b) => a! / b!),
  max: lift(Math.max),
  neg: lift((a) => -a!),
  sqrt: lift(Math.sqrt),
};

function run(
  { outputs }: Trace,
  scalars: Readonly<Record<string, number>>,
  arrays: Readonly<Record<string, Float64Array>>,
) {
  const values = fold<Value>(Object.values(outputs), {
    ...operations,
    leaf: (op, name) => (op === 'input' ? arrays[name]! : op === 'scalar' ? scalars[name]! : (name as number)),
  });
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, values[i] as Float64Array]));
}

/**
 * One update of one parameter in float64: the executor that torch.float64 and all the others are compared with.
 * `param` and `state` are changed in place.
 */
export function referenceStep<H extends object>(
  rule: AnyRule<H>,
  h: H,
  param: Float64Array,
  grad: Float64Array,
  state: SlotState<Float64Array>,
): void {
  const begun = begin(rule, h, state, (fill) => new Float64Array(param.length).fill(fill));
  const { t, made } = begun;
  commit(rule, state, begun);
  const traced = trace(rule, h);
  const scalars = rule.scalars(h, t, Object.keys(made).length > 0);
  const results = run(traced, scalars, { ...(state as Record<string, Float64Array>), param, grad });
  for (const [name, value] of Object.entries(results)) {
    (name === 'param' ? param : (state[name] as Float64Array)).set(value);
  }
}
