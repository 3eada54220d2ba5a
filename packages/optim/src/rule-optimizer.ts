import * as tf from '@tensorflow/tfjs-core';
import {
  bind,
  enable_grad,
  internal,
  KeyError,
  NotImplementedError,
  RuntimeError,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { executor, hasFused, type Item } from './executors';
import { getOrMake } from './get-or-make';
import { type Loading, Optimizer, type ParamState } from './optimizer';
import { bindOptions, type Host, hostOptions } from './options';
import { float, str } from './python-repr';
import { type AnyRule, type Trace, trace } from './rule/rule';
import { begin, commit, firstState, numberKeys, type SlotState } from './rule/state';

/** The flags that choose an implementation, where an optimizer has them. */
interface Implementation {
  foreach?: boolean | null;
  fused?: boolean | null;
  differentiable?: boolean;
}

function checkImplementation(name: string, { foreach, fused, differentiable }: Implementation) {
  if (fused && differentiable) throw new RuntimeError('`fused` does not support `differentiable`');
  if (fused && foreach) throw new RuntimeError('`fused` and `foreach` cannot be `True` together.');
  if (differentiable) throw new NotImplementedError(`${name}: differentiable=True is not supported yet`);
  if (fused && !hasFused()) {
    throw new RuntimeError(
      `${name}: fused=True needs a fused kernel, and there is none for the backend '${tf.getBackend()}'; ` +
        'leave it null to have the best one chosen',
    );
  }
}

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

const stepSignature = signature<{ closure: (() => unknown) | null }>('Optimizer.step', 'closure=None');

/** An optimizer that is a rule; a subclass gives the rule and the types of its arguments. */
export abstract class RuleOptimizer<O extends object> extends Optimizer<O> {
  static readonly rule: AnyRule;
  readonly #rule: AnyRule<Host<O>>;

  constructor(args: readonly unknown[]) {
    const rule = new.target.rule as unknown as AnyRule<Host<O>>;
    const { params, options } = bindOptions<O>(rule, args);
    const h = hostOptions(rule, options);
    rule.check(h, options as Record<keyof O, unknown>);
    checkImplementation(rule.name, h as Implementation);
    super(params, options);
    this.#rule = rule;
    if (rule.eager) this.#makeStates();
  }

  get #initial() {
    return hostOptions<O>(this.#rule, this.defaults);
  }

  #makeStates() {
    for (const group of this.param_groups) {
      const h = hostOptions<O>(this.#rule, group);
      for (const p of group.params)
        this.state.set(p, firstState(this.#rule, h, { ...keepingFor(p), initial: this.#initial }));
    }
  }

  override step(): null;
  override step<T>(closure: (() => T) | { closure: () => T }): T;
  override step<T>(closure: (() => T) | null | undefined): T | null;
  override step(...args: unknown[]): unknown {
    const { closure } = bind(stepSignature, args);
    if (closure === null) {
      this.#update();
      return null;
    }
    const loss = enable_grad(closure);
    if (loss instanceof Promise) {
      return loss.then((value) => {
        this.#update();
        return value;
      });
    }
    this.#update();
    return loss;
  }

  #update() {
    const groups = this.param_groups.map((group) => {
      const h = hostOptions<O>(this.#rule, group);
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

  protected override exported(value: unknown, key: string): unknown {
    // A number here, a float32 scalar in torch.
    return typeof value === 'number' && numberKeys(this.#rule, this.#initial).includes(key)
      ? tf.scalar(value)
      : super.exported(value, key);
  }

  protected override shown(value: unknown, key: string): string {
    const { floats, defaults } = this.#rule;
    return floats?.includes(key) && value === defaults[key as never] ? float(value as number) : super.shown(value, key);
  }

  protected override migrated(group: Record<string, unknown>): Record<string, unknown> {
    const whole = { ...group, ...this.#rule.older, ...group, ...this.#rule.forced };
    hostOptions<O>(this.#rule, whole as O);
    return whole;
  }

  protected override loaded(entry: ParamState, { p, group, id, keep }: Loading): ParamState {
    const rule = this.#rule;
    const h = hostOptions<O>(rule, group as O);
    const slots = Object.keys(rule.state(h, h));
    const numbers = numberKeys(rule, h);
    const missing = numbers.find((key) => !(key in entry));
    if (missing !== undefined && Object.keys(entry).length > 0) throw new KeyError(`'${missing}'`);
    const state: ParamState = {};
    for (const [key, value] of Object.entries(entry)) {
      const what = `loaded state dict: ${key} of parameter ${id}`;
      if (numbers.includes(key)) state[key] = key === 'step' ? stepNumber(value, what) : float32(value, what);
      else if (value instanceof tf.Tensor) {
        if (!tf.util.arraysEqual(value.shape, p.shape)) {
          throw new ValueError(`${what} has shape [${value.shape}], the parameter has [${p.shape}]`);
        }
        state[key] = keep(internal.state(tf.cast(value, 'float32')));
      } else if (value !== null && slots.includes(key)) {
        throw new TypeError(`${what} must be a tensor, but is ${str(value)}`);
      } else if (value !== null) state[key] = value; // an old torch's SGD saves a buffer that is not there yet as None
    }
    return state;
  }
}

const numberIn = (value: unknown) => (value instanceof tf.Tensor && value.size === 1 ? value.dataSync()[0]! : value);

function stepNumber(value: unknown, what: string): number {
  const step = numberIn(value);
  if (typeof step !== 'number' || !Number.isInteger(step) || step < 0) {
    throw new ValueError(`${what} must be a whole number, but is ${str(value)}`);
  }
  return step;
}

function float32(value: unknown, what: string): number {
  const x = numberIn(value);
  if (typeof x !== 'number') throw new ValueError(`${what} must be a number, but is ${str(value)}`);
  return Math.fround(x);
}
