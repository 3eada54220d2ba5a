import { fold } from '../rule/expr';
import { type AnyRule, type Trace, trace } from '../rule/rule';
import { begin, commit, firstState, plan, type SlotState } from '../rule/state';
import { arrayOperations } from './arrays';

const operations = arrayOperations<Float64Array>((length) => new Float64Array(length));

function run(
  { outputs }: Trace,
  scalars: Readonly<Record<string, number>>,
  arrays: Readonly<Record<string, Float64Array>>,
) {
  const everywhere = filled(arrays.param!.length);
  const values = fold<Float64Array>(Object.values(outputs), {
    ...operations,
    leaf: (op, name) =>
      op === 'input' ? arrays[name]! : everywhere(op === 'scalar' ? scalars[name]! : (name as number)),
  });
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, values[i]!]));
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
