import * as tf from '@tensorflow/tfjs-core';
import {
  bind,
  enable_grad,
  internal,
  NotImplementedError,
  RuntimeError,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { executor, hasFused, type Item } from './executors';
import { getOrMake } from './get-or-make';
import { type Loading, Optimizer, type ParamState } from './optimizer';
import { bindOptions, type Host, hostOptions } from './options';
import { str } from './python-repr';
import { type AnyRule, trace } from './rule/rule';
import { type Begun, begin, commit, type SlotState } from './rule/state';

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
    const options = this.param_groups.map((group) => {
      const h = hostOptions<O>(this.#rule, group);
      checkImplementation(this.#rule.name, h as Implementation);
      return h;
    });
    internal.withGrad(false, () => {
      this.param_groups.forEach((group, i) => {
        this.#updateGroup(group.params, options[i]!);
      });
    });
  }

  #updateGroup(params: readonly tf.Tensor[], h: Host<O>) {
    const rule = this.#rule;
    const traced = trace(rule, h);
    interface Batch extends Begun<tf.Tensor> {
      fresh: boolean;
      items: Item[];
      commits: (() => void)[];
    }
    // Parameters whose scalars are the same go to the executor together.
    const batches = new Map<string, Batch>();
    for (const param of params) {
      const grad = internal.peekGrad(param);
      if (grad === null) continue;
      const state = (this.state.get(param) ?? {}) as SlotState<tf.Tensor>;
      const begun = begin(rule, h, state, (fill) => internal.state(tf.fill(param.shape, fill, 'float32')));
      const fresh = Object.keys(begun.made).length > 0;
      const batch = getOrMake(batches, `${begun.t},${fresh}`, () => ({ ...begun, fresh, items: [], commits: [] }));
      batch.items.push({ ...(state as Item), ...begun.made, param, grad });
      batch.commits.push(() => {
        commit(rule, state, begun);
        if (traced.slots.length > 0) this.state.set(param, state);
      });
    }
    const run = executor();
    for (const { t, fresh, items, commits } of batches.values()) {
      run(traced, rule.scalars(h, t, fresh), items);
      for (const done of commits) done();
    }
  }

  protected override exported(value: unknown, key: string): unknown {
    // An integer here, a float32 scalar in torch.
    return this.#rule.counted && key === 'step' ? tf.scalar(value as number) : super.exported(value, key);
  }

  protected override migrated(group: Record<string, unknown>): Record<string, unknown> {
    const whole = { ...group, ...this.#rule.older, ...group, ...this.#rule.forced };
    hostOptions<O>(this.#rule, whole as O);
    return whole;
  }

  protected override loaded(entry: ParamState, { p, group, id, keep }: Loading): ParamState {
    const rule = this.#rule;
    const slots = Object.keys(rule.state(hostOptions<O>(rule, group as O)));
    const state: ParamState = {};
    for (const [key, value] of Object.entries(entry)) {
      const what = `loaded state dict: ${key} of parameter ${id}`;
      if (rule.counted && key === 'step') state.step = stepNumber(value, what);
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

function stepNumber(value: unknown, what: string): number {
  const step = value instanceof tf.Tensor && value.size === 1 ? value.dataSync()[0]! : value;
  if (typeof step !== 'number' || !Number.isInteger(step) || step < 0) {
    throw new ValueError(`${what} must be a whole number, but is ${str(value)}`);
  }
  return step;
}
