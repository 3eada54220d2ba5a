import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';
import { executor, type Item } from './executors';
import { FirstOrderOptimizer } from './first-order-optimizer';
import { getOrMake } from './get-or-make';
import { checkImplementation, type Implementation } from './implementation';
import type { Host } from './options';
import { type AnyRule, type Trace, trace } from './rule/rule';
import { begin, commit, firstState, numberKeys, type SlotState } from './rule/state';

/** Parameters of one group that are updated with the same scalars. */
interface Batch {
  traced: Trace;
  scalars: Readonly<Record<string, number>>;
  items: Item[];
  /** Each enters one finished update into the state. */
  commits: (() => void)[];
}

/** What is updated together: one list, unless a group holds a parameter twice. It is updated as often, as in torch. */
function rounds(params: readonly tf.Tensor[]): readonly (readonly tf.Tensor[])[] {
  if (new Set(params).size === params.length) return [params];
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

/** How a parameter's state is kept here: tensors like it, and numbers in float32. */
const keepingFor = ({ shape }: tf.Tensor) => ({
  make: (fill: number) => internal.state(tf.fill(shape, fill, 'float32')),
  round: Math.fround,
});

/** An optimizer that is a rule; a subclass gives the rule and the types of its arguments. */
export abstract class RuleOptimizer<O extends object> extends FirstOrderOptimizer<O> {
  static readonly rule: AnyRule;
  static override get declaration() {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this and means itself
    return this.rule;
  }
  readonly #rule: AnyRule<Host<O>>;

  constructor(args: readonly unknown[]) {
    const rule = new.target.rule as unknown as AnyRule<Host<O>>;
    super(args);
    this.#rule = rule;
    if (rule.eager) this.#makeStates();
  }

  get #initial() {
    return this.hostOptions(this.defaults);
  }

  #makeStates() {
    for (const group of this.param_groups) {
      const h = this.hostOptions(group);
      for (const p of group.params)
        this.state.set(p, firstState(this.#rule, h, { ...keepingFor(p), initial: this.#initial }));
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
      internal.withGrad(false, () => {
        const uncommitted = new Set<tf.Tensor>();
        try {
          const ready = groups.flatMap((group) => this.#batches(group.h, group.rounds[round] ?? [], uncommitted));
          const run = executor();
          for (const { traced, scalars, items, commits } of ready) {
            run(traced, scalars, items);
            for (const done of commits) done();
          }
        } catch (error) {
          tf.dispose([...uncommitted]);
          throw error;
        }
      });
    }
  }

  /** The parameters of a group that have a gradient; those whose scalars are the same go to the executor together. */
  #batches(h: Host<O>, params: readonly tf.Tensor[], uncommitted: Set<tf.Tensor>): Batch[] {
    const rule = this.#rule;
    const batches = new Map<string, Batch>();
    const initial = this.#initial;
    for (const param of params) {
      const grad = internal.peekGrad(param);
      if (grad === null) continue;
      const state = (this.state.get(param) ?? {}) as SlotState<tf.Tensor>;
      const begun = begin<Host<O>, tf.Tensor>(rule, h, state, { ...keepingFor(param), initial });
      for (const t of Object.values(begun.made)) uncommitted.add(t);
      const { scalars } = begun;
      const batch = getOrMake(batches, Object.values(scalars).join(), () => ({
        traced: trace(rule, h, scalars),
        scalars,
        items: [],
        commits: [],
      }));
      batch.items.push({ ...(state as Item), ...begun.made, param, grad });
      batch.commits.push(() => {
        commit(state, begun);
        for (const t of Object.values(begun.made)) uncommitted.delete(t);
        if (Object.keys(state).length > 0) this.state.set(param, state);
      });
    }
    return [...batches.values()];
  }

  protected override slots({ shape }: tf.Tensor, h: Host<O>) {
    return Object.fromEntries(Object.keys(this.#rule.state(h, h)).map((key) => [key, shape]));
  }
  protected override numbers(h: Host<O>) {
    return numberKeys(this.#rule, h);
  }
}
