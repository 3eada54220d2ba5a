import { type Algebra, fold } from '../rule/expr';
import { type AnyRule, type Trace, trace } from '../rule/rule';
import { begin, commit, firstState, plan, type SlotState } from '../rule/state';

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
  min: lift(Math.min),
  gt: lift((a, b) => Number(a! > b!)),
  where: lift((condition, a, b) => (condition ? a! : b!)),
  neg: lift((a) => -a!),
  sqrt: lift(Math.sqrt),
  abs: lift(Math.abs),
  sign: lift((a) => Number(a! > 0) - Number(a! < 0)),
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

const inFloat64 = <H extends object>(rule: AnyRule<H>, h: H, initial: H) => plan(rule, h, { initial, round: (x) => x });
const filled = (size: number) => (fill: number) => new Float64Array(size).fill(fill);

/** The state of a parameter of `size` elements before its first update. */
export const referenceState = <H extends object>(rule: AnyRule<H>, h: H, size: number): SlotState<Float64Array> =>
  firstState<Float64Array>(inFloat64(rule, h, h), filled(size));

/**
 * One update of one parameter in float64: the executor that torch.float64 and all the others are compared with.
 * `param` and `state` are changed in place. `initial`: the optimizer's own options, where those of the group differ.
 */
export function referenceStep<H extends object>(
  rule: AnyRule<H>,
  h: H,
  param: Float64Array,
  grad: Float64Array,
  state: SlotState<Float64Array>,
  initial: H = h,
): void {
  const planned = inFloat64(rule, h, initial);
  const begun = begin<Float64Array>(planned, state, filled(param.length));
  const { scalars, numbers } = planned.advance(begun);
  commit(begun, numbers);
  const results = run(trace(rule, h, scalars), scalars, { ...(state as Record<string, Float64Array>), param, grad });
  for (const [name, value] of Object.entries(results)) {
    (name === 'param' ? param : (state[name] as Float64Array)).set(value);
  }
}
