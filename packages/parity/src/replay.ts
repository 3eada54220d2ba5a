import * as tf from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core';
import { type Optimizer, referenceState, referenceStep } from '@tfjs-torch/optim';
import { deviceTensor, deviceValue, type Model, Subject } from './host';
import { headOf } from './record';
import { same } from './same';
import { type Group, type HostTensor, isHostTensor, type Snapshot, type Step, type Trace, type Value } from './trace';

/** What a script did to the options before a step: by group, those that are not as they were in the step before. */
const changes = ({ param_groups }: Step, last: Step | undefined): Record<string, Value>[] =>
  (last && param_groups ? param_groups : []).map((group, i) =>
    Object.fromEntries(Object.entries(group).filter(([key, value]) => !same(value, last!.param_groups![i]![key]))),
  );

/** How {@link replay} takes a step. */
export interface ReplayOptions {
  /**
   * Takes a step, in place of `optimizer.step()` with the golden's gradients: where they are sparse, or a closure computes them.
   * Gives the loss, if there is one.
   */
  step?: (step: number) => unknown;
}

const lossOf = (x: unknown): number | null => (x instanceof tf.Tensor ? x.item() : typeof x === 'number' ? x : null);

/**
 * Gives the golden's gradients to our optimizer, from the golden's first state on: the update rule alone, without a model. What
 * the recorded script changed in `param_groups` is changed here; the options at first are the optimizer's own. Batches and losses
 * are the golden's.
 *
 * @param params the optimizer's parameters by the golden's names; they take the golden's first values
 * @throws ValueError where the golden does not fit
 */
export function replay(
  golden: Trace,
  params: Model,
  optimizer: Optimizer<object>,
  { step }: ReplayOptions = {},
): Trace {
  const subject = new Subject(params, optimizer);
  const steps = golden.steps.map((recorded, k): Step => {
    const last = golden.steps[k - 1];
    if (!last) subject.load({ ...recorded.before, state: null }, null);
    changes(recorded, last).forEach((options, i) => {
      Object.assign(optimizer.param_groups[i]!, deviceValue(options));
    });
    const param_groups = recorded.param_groups && subject.groups();
    const before = subject.snapshot({ state: recorded.before.state !== null });
    const loss = step ? lossOf(step(recorded.step)) : recorded.loss;
    if (!step) forceGradients(subject, recorded);
    const grads = subject.grads();
    subject.clearGrads();
    const after = recorded.after && subject.snapshot({ state: recorded.after.state !== null });
    return { step: recorded.step, inputs: recorded.inputs, param_groups, before, loss, grads, after };
  });
  return { head: headOf(subject), steps };
}

/** Steps with the golden's gradients. */
function forceGradients({ params, optimizer }: Subject, { grads }: Step): void {
  for (const name of params.keys()) {
    if (grads[name] === undefined) throw new ValueError(`the golden has no entry for the gradient of ${name}`);
  }
  for (const [name, p] of params) {
    const grad = grads[name];
    p.grad = (grad && deviceTensor(grad)) as typeof p.grad;
  }
  optimizer!.step();
}

type Rule = Parameters<typeof referenceStep<Record<string, unknown>>>[0];
type Numbers = Record<string, Float64Array | number>;

/** An option as a rule has it: what is a tensor in torch is its number. */
const hostOption = (x: Value): unknown =>
  isHostTensor(x) ? x.data[0] : Array.isArray(x) ? (x as readonly Value[]).map(hostOption) : x;
const hostOptions = (options: Readonly<Record<string, Value>>) =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, hostOption(value)]));

const inFloat64 = (data: Float64Array, shape: readonly number[]): HostTensor => ({
  dtype: 'float64',
  shape,
  data: data.slice(),
});

/**
 * As `replay`, computed in float64 by the rule itself, which is what torch.float64 does: the oracle for rules of one's own, and
 * the measure of what float32 costs. For every optimizer that is a rule, `class extends RuleOptimizer`.
 *
 * @param optimizer the class: `reference(golden, Adam)`
 * @throws ValueError if the golden has no options, or none for a parameter
 */
export function reference(golden: Trace, optimizer: { readonly rule: object }): Trace {
  const rule = optimizer.rule as Rule;
  const initial = hostOptions(golden.head.optimizer.defaults);
  const [first] = golden.steps;
  const params = new Map<string, Float64Array>();
  const states = new Map<string, Numbers>();
  const shapes = new Map<string, readonly number[]>();
  const groupOf = ({ step, param_groups }: Step, name: string): Group => {
    const group = param_groups?.find((g) => g.params.includes(name));
    if (!group) throw new ValueError(`step ${step} of the golden has no options for ${name}`);
    return group;
  };
  for (const name of Object.keys(first?.grads ?? {})) {
    const { data, shape } = first!.before.model[name]!;
    params.set(name, Float64Array.from(data));
    shapes.set(name, shape);
    const h = hostOptions(groupOf(first!, name));
    const empty = referenceState(rule, initial, data.length);
    const recorded = first!.before.state?.[name];
    const begun = recorded ? stateFrom(recorded, referenceState(rule, h, data.length)) : rule.eager ? empty : {};
    states.set(name, begun);
  }

  /** Buffers are the golden's: no rule changes them. */
  const snapshot = (recorded: Snapshot): Snapshot => ({
    model: {
      ...recorded.model,
      ...Object.fromEntries([...params].map(([name, data]) => [name, inFloat64(data, shapes.get(name)!)])),
    },
    state: recorded.state ? Object.fromEntries([...states].flatMap(([name, state]) => entryOf(name, state))) : null,
  });
  const entryOf = (name: string, state: Numbers) => {
    const entries = Object.entries(state).map(([key, value]) => {
      const tensor =
        typeof value === 'number' ? inFloat64(Float64Array.of(value), []) : inFloat64(value, shapes.get(name)!);
      return [key, tensor] as const;
    });
    return entries.length > 0 ? [[name, Object.fromEntries(entries)] as const] : [];
  };

  const steps = golden.steps.map((recorded): Step => {
    const before = snapshot(recorded.before);
    for (const [name, grad] of Object.entries(recorded.grads)) {
      if (!grad) continue;
      const h = hostOptions(groupOf(recorded, name));
      referenceStep(rule, h, params.get(name)!, Float64Array.from(grad.data), states.get(name)!, initial);
    }
    return { ...recorded, before, after: recorded.after && snapshot(recorded.after) };
  });
  return { head: { ...golden.head, torch: null, tfjs: null, dtype: 'float64' }, steps };
}

function stateFrom(recorded: Readonly<Record<string, Value>>, like: Numbers): Numbers {
  return Object.fromEntries(
    Object.entries(recorded).flatMap(([key, value]) => {
      if (value === null) return [];
      const data = isHostTensor(value) ? value.data : [value as number];
      return [[key, typeof like[key] === 'number' ? data[0]! : Float64Array.from(data)] as const];
    }),
  );
}
