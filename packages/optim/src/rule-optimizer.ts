import * as tf from '@tensorflow/tfjs-core';
import * as internal from '@tfjs-torch/core/update';
import { checkJobs, chooseExecutor, type Executor, type ExecutorChoice, type Item, type Job } from './executors';
import { runOverRows } from './executors/rows';
import { freshState, readable } from './executors/storage';
import { FirstOrderOptimizer } from './first-order-optimizer';
import { checkImplementation, type Implementation } from './implementation';
import type { Host } from './options';
import { type AnyRule, trace } from './rule/rule';
import {
  alike,
  type Begun,
  begin,
  commit,
  firstState,
  isWhole,
  numberKeys,
  type Plan,
  plan,
  type SlotState,
} from './rule/state';

/** One parameter's update, with what it begins with. */
interface Update extends Item, Pick<Begun<tf.Tensor>, 'state' | 'first' | 'made'> {
  grad: tf.Tensor;
  slots: Item['slots'];
}

/** Parameters of one group that are updated with the same scalars. */
interface Batch extends Job {
  /** Numbers of the states after the update. */
  numbers: Record<string, number>;
  items: Update[];
  /** Whether only the rows that the gradients name are updated. */
  byRows: boolean;
  executor: Executor;
}

/** The only batch of a list of parameters, for the next step. */
interface Last {
  batch: Batch;
  /** The state tensors of its items, one item after the other. */
  tensors: tf.Tensor[];
}

/** Tensors are numbered as they are made, so that a list in that order holds none twice. */
function inOrder(params: readonly tf.Tensor[]): boolean {
  for (let i = 1; i < params.length; i++) if (params[i]!.id <= params[i - 1]!.id) return false;
  return true;
}

/** What is updated together: one list, unless a group holds a parameter twice. It is updated as often, as in torch. */
function rounds(params: readonly tf.Tensor[]): readonly (readonly tf.Tensor[])[] {
  if (inOrder(params) || new Set(params).size === params.length) return [params];
  const seen = new Map<tf.Tensor, number>();
  const lists: tf.Tensor[][] = [];
  for (const p of params) {
    const round = seen.get(p) ?? 0;
    seen.set(p, round + 1);
    lists[round] ??= [];
    lists[round].push(p);
  }
  return lists;
}

/** A kernel of tfjs would do so; the memory policy takes what none touches for forgotten. */
function inUse(param: tf.Tensor, grad: tf.Tensor) {
  internal.touch(param);
  internal.touch(grad);
}

const filled =
  ({ shape }: tf.Tensor) =>
  (fill: number) =>
    freshState(tf.fill(shape, fill, 'float32'));

/** Runs all batches; those of one executor in one go. Whatever an executor leaves behind is freed. */
function run(batches: readonly Batch[]) {
  const dense = batches.filter(({ byRows }) => !byRows);
  checkJobs(dense);
  for (const { items } of dense) for (const item of items) item.grad = readable(item.grad);
  for (const executor of new Set(batches.map((batch) => batch.executor))) {
    const its = batches.filter((batch) => batch.executor === executor);
    const whole = its.filter(({ byRows }) => !byRows);
    if (whole.length > 0) executor.run(whole);
    for (const batch of its) if (batch.byRows) runOverRows(executor, batch);
  }
}

/** An optimizer that is a rule; a subclass gives the rule and the types of its arguments. */
export abstract class RuleOptimizer<O extends object> extends FirstOrderOptimizer<O> {
  static readonly rule: AnyRule;
  static override get declaration() {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this and means itself
    return this.rule;
  }
  readonly #rule: AnyRule<Host<O>>;
  /** By list of parameters. */
  readonly #last = new WeakMap<readonly tf.Tensor[], Last>();

  constructor(args: readonly unknown[]) {
    const rule = new.target.rule as unknown as AnyRule<Host<O>>;
    super(args);
    this.#rule = rule;
    if (rule.eager) this.#makeStates();
  }

  /**
   * What runs the updates of the groups that do not say `fused: false`, and why.
   * @throws RuntimeError if `setExecutor` chose one that cannot run on the current backend
   */
  get executor(): ExecutorChoice {
    const { executor, reason } = chooseExecutor((this.defaults as Implementation).fused);
    return { name: executor.name, reason, toString: () => `${executor.name} (${reason})` };
  }

  get #initial() {
    return this.hostOptions(this.defaults);
  }

  #makeStates() {
    for (const group of this.param_groups) {
      const planned = this.#plan(this.hostOptions(group));
      for (const p of group.params) this.state.set(p, firstState(planned, filled(p)));
    }
  }

  protected override update() {
    const groups = this.param_groups.map((group) => {
      const h = this.hostOptions(group);
      checkImplementation(this.#rule.name, h as Implementation);
      return { h, rounds: rounds(group.params) };
    });
    const most = Math.max(0, ...groups.map((group) => group.rounds.length));
    for (let round = 0; round < most; round++) {
      const uncommitted = new Set<tf.Tensor>();
      try {
        const ready = groups.flatMap((group) => this.#batches(group.h, group.rounds[round] ?? [], uncommitted));
        tf.tidy(() => run(ready));
        for (const { numbers, items } of ready) {
          const counts = Object.keys(numbers).length > 0;
          for (const item of items) {
            const { param, state, first, made } = item;
            commit(item, numbers);
            if (made) for (const t of Object.values(made)) uncommitted.delete(t);
            if (first && (made || counts)) this.state.set(param, state);
            item.slots = state as Item['slots'];
            item.first = false;
            item.made = null;
          }
        }
      } catch (error) {
        tf.dispose([...uncommitted]);
        throw error;
      }
    }
  }

  /** The parameters of a group that have a gradient; those whose scalars are the same go to the executor together. */
  #batches(h: Host<O>, params: readonly tf.Tensor[], uncommitted: Set<tf.Tensor>): Batch[] {
    const planned = this.#plan(h);
    const again = this.#again(h, planned, params);
    if (again) return [again];
    const { executor } = chooseExecutor((h as Implementation).fused);
    const batches: (Batch & { begun: Begun<tf.Tensor> })[] = [];
    for (const param of params) {
      const grad = internal.peekGrad(param);
      if (grad === null) continue;
      const byRows = this.byRows(grad, h);
      const begun = begin<tf.Tensor>(planned, (this.state.get(param) ?? {}) as SlotState<tf.Tensor>, filled(param));
      const { state, first, made } = begun;
      if (made) for (const t of Object.values(made)) uncommitted.add(t);
      let batch = batches.find((one) => one.byRows === byRows && alike(planned, one.begun, begun));
      if (!batch) {
        const { scalars, numbers } = planned.advance(begun);
        batch = { traced: trace(this.#rule, h, scalars), scalars, numbers, items: [], begun, byRows, executor };
        batches.push(batch);
      }
      inUse(param, grad);
      const slots = (made ? { ...state, ...made } : state) as Item['slots'];
      batch.items.push({ param, grad, slots, state, first, made });
    }
    const [batch] = batches;
    if (batches.length === 1) {
      const tensors = batch!.items.flatMap(({ slots }) => batch!.traced.slots.map((slot) => slots[slot]!));
      this.#last.set(params, { batch: batch!, tensors });
    } else this.#last.delete(params);
    return batches;
  }

  /** The batch of the last step, if nothing but gradients and numbers has changed since: then executors know its items. */
  #again(h: Host<O>, planned: Plan, params: readonly tf.Tensor[]): Batch | null {
    const last = this.#last.get(params);
    if (!last) return null;
    const { batch, tensors } = last;
    const { items, traced, byRows } = batch;
    const { state } = items[0]!;
    if (!isWhole(planned, state)) return null;
    let [i, k] = [0, 0];
    for (const param of params) {
      const grad = internal.peekGrad(param);
      if (grad === null) continue;
      const item = items[i++];
      if (item?.param !== param || this.byRows(grad, h) !== byRows) return null;
      if (planned.keys.length > 0 && this.state.get(param) !== item.state) return null;
      for (const key of planned.numberKeys) if (!Object.is(item.state[key], state[key])) return null;
      for (const slot of traced.slots) if (item.state[slot] !== tensors[k++]) return null;
      inUse(param, grad);
      item.grad = grad;
    }
    if (i < items.length) return null;
    const { scalars, numbers } = planned.advance(begin(planned, state, filled(items[0]!.param)));
    if (trace(this.#rule, h, scalars) !== traced) return null;
    const { executor } = chooseExecutor((h as Implementation).fused);
    return { ...batch, scalars, numbers, executor };
  }

  #plan(h: Host<O>) {
    return plan(this.#rule, h, { initial: this.#initial, round: Math.fround });
  }

  protected override slots({ shape }: tf.Tensor, h: Host<O>) {
    return Object.fromEntries(Object.keys(this.#rule.state(h, h)).map((key) => [key, shape]));
  }
  protected override numbers(h: Host<O>) {
    return numberKeys(this.#rule, h);
  }
}
