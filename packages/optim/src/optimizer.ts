import * as tf from '@tensorflow/tfjs-core';
import {
  bind,
  Hooks,
  isPlainObject,
  KeyError,
  NotImplementedError,
  type Prepend,
  type RemovableHandle,
  RuntimeError,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { matchNames, refuse } from './match-names';
import { type ParamGroup, type ParamGroupInput, type ParamsInput, prepareGroup, toGroups } from './param-groups';
import { copied, free, mapped } from './plain';
import { str } from './python-repr';
import { valueAndGradients } from './value-and-gradients';

/** The state of one parameter by name: tensors, numbers, whatever an optimizer keeps. */
export type ParamState = Record<string, unknown>;

/** What `state_dict()` gives: parameters are numbers, counted over all groups. */
export interface StateDict {
  state: Record<string | number, unknown>;
  param_groups: Record<string, unknown>[];
}

/** The parameter whose state is loaded. */
export interface Loading {
  p: tf.Tensor;
  /** Its group as it will be. */
  group: Record<string, unknown>;
  /** Its number in the checkpoint. */
  id: string;
  /** To be put around every tensor that is made. */
  keep(t: tf.Tensor): tf.Tensor;
}

/** What torch's load_state_dict does not have. */
export interface LoadOptions {
  /**
   * How parameters are matched: by their position as in torch, or by their names, where the order of groups and parameters
   * does not matter and whatever does not fit is refused and listed. @defaultValue 'position'
   */
  match?: 'position' | 'names';
  /** Options of the groups that stay as they are: `['lr', 'weight_decay']`. @defaultValue [] */
  keep?: readonly string[];
}

const loadSignature = signature<Required<LoadOptions>>('Optimizer.load_state_dict', "*, match='position', keep=()");

const zeroGradSignature = signature<{ set_to_none: boolean }>('Optimizer.zero_grad', 'set_to_none=True');

/** Some entries of a group. @throws ValueError for one that it lacks */
function pick(group: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  for (const key of keys) {
    if (key === 'params' || !(key in group)) throw new ValueError(`load_state_dict: keep: there is no option '${key}'`);
  }
  return Object.fromEntries(keys.map((key) => [key, group[key]]));
}

type Args = unknown[];
type Kwargs = Record<string, unknown>;
/** Called before a step; may return other arguments for it. */
export type StepPreHook = (optimizer: Optimizer<object>, args: Args, kwargs: Kwargs) => [Args, Kwargs] | null | void;
/** Called after a step with the arguments that it had. */
export type StepPostHook = (optimizer: Optimizer<object>, args: Args, kwargs: Kwargs) => void;

/** May return another dict in place of the one it is given. */
export type StateDictHook = (optimizer: Optimizer<object>, state_dict: StateDict) => StateDict | null | void;
export type OptimizerHook = (optimizer: Optimizer<object>) => void;

const globalPreHooks = new Hooks<StepPreHook>();
const globalPostHooks = new Hooks<StepPostHook>();

/** Calls `hook` before each step of every optimizer. */
export const register_optimizer_step_pre_hook = (hook: StepPreHook): RemovableHandle => globalPreHooks.add(hook);
/** Calls `hook` after each step of every optimizer. */
export const register_optimizer_step_post_hook = (hook: StepPostHook): RemovableHandle => globalPostHooks.add(hook);

/** Calls a step with recording off; an `async` one keeps it off over its awaits. */
const withoutGrad = (step: Function, self: object, args: Args): unknown =>
  step.constructor.name === 'AsyncFunction'
    ? internal.no_grad(() => step.apply(self, args))
    : internal.withGrad(false, () => step.apply(self, args));

const isTrainable = (p: tf.Tensor) =>
  p instanceof tf.Variable && !(p instanceof internal.OwnedVariable) ? p.trainable : internal.requiresGrad(p);

/**
 * Base of all optimizers: `torch.optim.Optimizer`. A subclass gives `step()`, and may keep what it needs in `state`;
 * hooks, the count of steps and `no_grad` come with the constructor.
 *
 * @param params parameters, `[name, parameter]` pairs or groups `{ params, ...options }`: Parameters, tf.Variables or other
 * leaf tensors
 * @param defaults the options of groups that do not give their own
 * @throws ValueError, TypeError, KeyError with torch's texts, before anything is changed
 */
export class Optimizer<O extends object = Record<string, unknown>> {
  readonly defaults: O;
  /** The options in use; changes take effect at the next step. */
  param_groups: ParamGroup<O>[] = [];
  /** From a parameter to its state, which is made at the first step that finds a gradient for it. */
  state = new Map<tf.Tensor, ParamState>();
  /** How many steps have been finished. Schedulers read it. */
  stepCount = 0;
  /** Whether `step` cannot do without a closure. */
  readonly needsClosure: boolean = false;
  /** Whether a step that finds no gradient at all warns; the first one does. @defaultValue false */
  diagnostics = false;

  readonly #hooks = {
    stepPre: new Hooks<StepPreHook>(),
    stepPost: new Hooks<StepPostHook>(),
    statePre: new Hooks<OptimizerHook>(),
    statePost: new Hooks<StateDictHook>(),
    loadPre: new Hooks<StateDictHook>(),
    loadPost: new Hooks<OptimizerHook>(),
  };
  #disposed = false;
  #warned = false;

  constructor(params: ParamsInput<O>, defaults: O) {
    this.defaults = defaults;
    const step = this.step;
    Object.defineProperty(this, 'step', {
      value: (...args: Args) => this.#hookedStep(step, args),
      writable: true,
      configurable: true,
    });

    const given = toGroups(params);
    const ready: ParamGroup[] = [];
    for (const group of given) ready.push(prepareGroup(group, this.#defaultEntries, ready));
    this.checkGroups(ready);
    ready.forEach((group, i) => {
      this.#enter(given[i] as object, group);
    });
    internal.setUp();
  }

  /** What the constructor refuses beyond what the base does. Called before the subclass has its own fields. */
  protected checkGroups(_groups: readonly ParamGroup[]): void {}

  get #defaultEntries() {
    return this.defaults as Readonly<Record<string, unknown>>;
  }

  /** As in torch, the group is the object that was given. */
  #enter(given: object, ready: ParamGroup) {
    this.param_groups.push(Object.assign(given, ready) as ParamGroup<O>);
  }

  /**
   * Adds a group of parameters; options that it lacks are the defaults.
   * @throws torch's errors, and TypeError for a key that looks like a misspelt option; then nothing is changed
   */
  add_param_group(param_group: ParamGroupInput<O>): void {
    this.#enter(param_group, prepareGroup(param_group, this.#defaultEntries, this.param_groups));
  }

  /**
   * Updates the parameters from their gradients; a parameter without one is skipped.
   * @param closure computes the loss and the gradients anew; may be async, then the step is too
   * @returns what the closure returns, else null
   */
  step(): unknown;
  step<T>(closure: (() => T) | null): unknown;
  step(): unknown {
    throw new NotImplementedError(`${this.constructor.name}.step() is not implemented`);
  }

  #hookedStep(step: Function, given: Args): unknown {
    if (this.#disposed) throw new RuntimeError(`${this.constructor.name}.step() was called after dispose()`);
    let args = given;
    let kwargs: Kwargs = {};
    for (const hook of [...globalPreHooks.all, ...this.#hooks.stepPre.all]) {
      const result = hook(this, args, kwargs);
      if (result === null || result === undefined) continue;
      if (!Array.isArray(result) || result.length !== 2) {
        throw new RuntimeError(
          `${this.constructor.name}.step must return None or a tuple of (new_args, new_kwargs), but got ${str(result)}.`,
        );
      }
      [args, kwargs] = result;
    }
    const all = Object.keys(kwargs).length > 0 ? [...args, kwargs] : args;
    const result = withoutGrad(step, this, all);
    return result instanceof Promise
      ? result.then((value) => this.#finishStep(value, args, kwargs))
      : this.#finishStep(result, args, kwargs);
  }

  #finishStep(result: unknown, args: Args, kwargs: Kwargs): unknown {
    this.#diagnose();
    for (const hook of [...this.#hooks.stepPost.all, ...globalPostHooks.all]) hook(this, args, kwargs);
    this.stepCount++;
    internal.optimizerRound(this);
    return result;
  }

  #diagnose() {
    if (!this.diagnostics || this.#warned) return;
    for (const p of this.#parameters()) if (internal.peekGrad(p) !== null) return;
    this.#warned = true;
    warn(
      `${this.constructor.name}.step(): no parameter has a gradient, so nothing was updated. Call loss.backward() before ` +
        'it, and give the optimizer the parameters that the loss depends on.',
    );
  }

  /** The parameters of all groups, in order. */
  *#parameters(): Iterable<tf.Tensor> {
    for (const group of this.param_groups) yield* group.params;
  }

  /** Forgets the gradients; with `set_to_none: false` fills them with zeros, which an optimizer does not skip. */
  zero_grad(set_to_none: boolean | { set_to_none?: boolean } = true): void {
    const { set_to_none: forget } = bind(zeroGradSignature, [set_to_none]);
    for (const p of this.#parameters()) {
      const grad = internal.peekGrad(p);
      if (grad === null) continue;
      if (forget) internal.clearGrad(p);
      else if (internal.isSparse(grad)) grad.zero_();
      else internal.update(grad, tf.zerosLike(grad));
    }
  }

  /**
   * tfjs's way: computes `f()` and the gradients of this optimizer's parameters, and steps.
   * @param f returns the loss, a scalar
   * @param returnCost whether to return the loss
   * @param varList the parameters to train; all of the optimizer's that are trainable if left out
   */
  minimize(f: () => tf.Scalar, returnCost = false, varList?: tf.Tensor[]): tf.Scalar | null {
    const mine = new Set(this.#parameters());
    if (varList?.some((p) => !mine.has(p))) {
      throw new ValueError('minimize: varList holds a variable that is not one of the optimizer’s parameters');
    }
    const trained = (varList ?? [...mine]).filter(isTrainable);
    const { value, grads } = valueAndGradients(f, trained);
    try {
      for (const p of mine) internal.clearGrad(p);
      trained.forEach((p, i) => {
        p.grad = (grads[i] ?? null) as typeof p.grad;
      });
      this.step();
    } finally {
      for (const p of trained) internal.clearGrad(p);
      for (const g of grads) g?.dispose();
    }
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  /** Calls `hook` before each step, after the global ones. */
  register_step_pre_hook(hook: StepPreHook): RemovableHandle {
    return this.#hooks.stepPre.add(hook);
  }
  /** Calls `hook` after each step, before the global ones. */
  register_step_post_hook(hook: StepPostHook): RemovableHandle {
    return this.#hooks.stepPost.add(hook);
  }
  /** Calls `hook` before each `state_dict()`; `prepend`ed, before the hooks that are there. */
  register_state_dict_pre_hook(hook: OptimizerHook, prepend: Prepend = false): RemovableHandle {
    return this.#hooks.statePre.add(hook, prepend);
  }
  /** Calls `hook` with the dict of each `state_dict()`, which it may change or replace. */
  register_state_dict_post_hook(hook: StateDictHook, prepend: Prepend = false): RemovableHandle {
    return this.#hooks.statePost.add(hook, prepend);
  }
  /** Calls `hook` with the dict that is loaded, before anything is checked; it may return another. */
  register_load_state_dict_pre_hook(hook: StateDictHook, prepend: Prepend = false): RemovableHandle {
    return this.#hooks.loadPre.add(hook, prepend);
  }
  /** Calls `hook` after each `load_state_dict()`. */
  register_load_state_dict_post_hook(hook: OptimizerHook, prepend: Prepend = false): RemovableHandle {
    return this.#hooks.loadPost.add(hook, prepend);
  }

  /**
   * The state and the options, in torch's format. A snapshot: later steps do not change it. Its tensors are the caller's
   * (`tf.dispose(sd)` gives them back).
   */
  state_dict(): StateDict {
    for (const hook of this.#hooks.statePre.all) hook(this);
    const ids = new Map<tf.Tensor, number>();
    let start = 0;
    const param_groups = this.param_groups.map(({ params, ...options }) => {
      // Of a parameter that a group holds twice, torch takes the later place.
      params.forEach((p, i) => {
        ids.set(p, start + i);
      });
      start += params.length;
      return { ...(copied(options) as object), params: params.map((p) => ids.get(p)!) };
    });
    const state: StateDict['state'] = {};
    for (const [key, value] of this.state) {
      state[ids.get(key) ?? String(key)] = isPlainObject(value)
        ? mapped(value, (v, k) => this.exported(v, k))
        : copied(value);
    }
    let packed: StateDict = { state, param_groups };
    for (const hook of this.#hooks.statePost.all) packed = hook(this, packed) ?? packed;
    return packed;
  }

  /** A state entry as a checkpoint has it. */
  protected exported(value: unknown, _key: string): unknown {
    return copied(value);
  }

  /**
   * Takes over the state and the options of a `state_dict()`, ours or torch's; parameters are matched by position. Copies:
   * what was loaded may be disposed of.
   * @throws ValueError or KeyError if it does not fit; then nothing is changed
   */
  load_state_dict(state_dict: StateDict, options: LoadOptions = {}): void {
    const { match, keep } = bind(loadSignature, [options]);
    if (match !== 'position' && match !== 'names') {
      throw new ValueError(`load_state_dict: match must be 'position' or 'names', but got ${str(match)}`);
    }
    let given = { ...state_dict };
    for (const hook of this.#hooks.loadPre.all) given = hook(this, given) ?? given;
    for (const key of ['param_groups', 'state'] as const) if (!(key in given)) throw new KeyError(`'${key}'`);
    const byName = match === 'names';
    if (!byName && given.param_groups.length !== this.param_groups.length) {
      throw new ValueError('loaded state dict has a different number of parameter groups');
    }
    for (const group of given.param_groups) if (!('params' in group)) throw new KeyError("'params'");
    const saved = byName ? matchNames(given.param_groups, this.param_groups) : given.param_groups;
    if (this.param_groups.some(({ params }, i) => (saved[i]!.params as unknown[]).length !== params.length)) {
      throw new ValueError(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      );
    }
    const kept = this.param_groups.map((group) => pick(group, keep));
    const groups = this.param_groups.map(({ params, param_names }, i) => {
      const { params: _, ...options } = copied(saved[i]) as Record<string, unknown>;
      const whole = this.migrated({ ...options, params, ...(param_names && !options.param_names && { param_names }) });
      return { ...whole, ...kept[i] };
    });
    const owners = new Map<string, { p: tf.Tensor; group: Record<string, unknown> }>();
    groups.forEach((group, i) => {
      (saved[i]!.params as unknown[]).forEach((id, j) => {
        owners.set(String(id), { p: (group.params as tf.Tensor[])[j]!, group });
      });
    });

    const state = new Map<tf.Tensor, ParamState>();
    const made: tf.Tensor[] = [];
    const track = (t: tf.Tensor) => {
      made.push(t);
      return t;
    };
    const mismatched: string[] = [];
    const load = (entry: ParamState, owner: { p: tf.Tensor; group: Record<string, unknown> }, id: string) => {
      try {
        state.set(owner.p, this.loaded(entry, { ...owner, id, keep: track }));
      } catch (error) {
        if (!byName || !(error instanceof Error)) throw error;
        const { params, param_names } = owner.group as ParamGroup;
        mismatched.push(
          `${param_names![params.indexOf(owner.p)]} (${error.message.replace('loaded state dict: ', '')})`,
        );
      }
    };
    try {
      internal.withGrad(false, () => {
        for (const [id, entry] of Object.entries(given.state)) {
          const owner = owners.get(id);
          if (owner) load(entry as ParamState, owner, id);
          else state.set(id as unknown as tf.Tensor, copied(entry) as ParamState);
        }
      });
      if (mismatched.length > 0) refuse({ missing: [], unexpected: [], mismatched });
    } catch (error) {
      tf.dispose(made);
      throw error;
    }
    this.#freeState();
    this.state = state;
    this.param_groups = groups as ParamGroup<O>[];
    for (const hook of this.#hooks.loadPost.all) hook(this);
  }

  /** A loaded group with what a checkpoint of an older version lacks. May throw: nothing is changed yet. */
  protected migrated(group: Record<string, unknown>): Record<string, unknown> {
    return group;
  }

  /** A parameter's loaded state in this optimizer's own form, made anew. May throw. */
  protected loaded(entry: ParamState, { p, keep }: Loading): ParamState {
    const copy = (value: unknown, key?: string): unknown => {
      if (value instanceof tf.Tensor) return keep(tf.keep(key === 'step' ? tf.clone(value) : tf.cast(value, p.dtype)));
      if (Array.isArray(value)) return value.map((v) => copy(v));
      return isPlainObject(value) ? mapped(value, copy) : value;
    };
    return copy(entry) as ParamState;
  }

  #freeState() {
    for (const entry of this.state.values()) free(entry);
    this.state.clear();
  }

  /** Gives back the state; the parameters are their owner's. The optimizer cannot step any more. */
  dispose(): void {
    this.#disposed = true;
    this.#freeState();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** An option as `toString` prints it. */
  protected shown(value: unknown, _key: string): string {
    return str(value);
  }

  /** torch's `repr`. */
  toString(): string {
    const groups = this.param_groups.map((group, i) => {
      const keys = Object.keys(group)
        .filter((key) => key !== 'params')
        .sort();
      return `\nParameter Group ${i}\n${keys.map((key) => `    ${key}: ${this.shown(group[key], key)}\n`).join('')}`;
    });
    return `${this.constructor.name} (${groups.join('')})`;
  }
}
