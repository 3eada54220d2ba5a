import * as tf from '@tensorflow/tfjs-core';
import { AssertionError, bind, RuntimeError, type Signature, signature, ValueError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { nonNegative, oneElement } from '../checks';
import type { Declaration } from '../declaration';
import { DeclaredOptimizer } from '../declared-optimizer';
import { absSum, addScaled, concatenated, difference, dot, largest, scaled } from '../flat';
import { getOrMake } from '../get-or-make';
import type { Loading, ParamState } from '../optimizer';
import type { Host, OptimizerArgs } from '../options';
import type { ParamGroup } from '../param-groups';
import { mapped } from '../plain';
import { div, min, mul, numberOf, type Scalar, single } from '../scalar';
import { strongWolfe } from '../strong-wolfe';

/** The options of {@link LBFGS}. */
export interface LBFGSOptions {
  /** Learning rate. @defaultValue 1 */
  lr: number | tf.Tensor;
  /** Iterations of one `step()`. @defaultValue 20 */
  max_iter: number;
  /** Calls of the closure in one `step()`. @defaultValue null, for 1.25·max_iter */
  max_eval: number | null;
  /** Ends a step where no gradient is larger. @defaultValue 1e-7 */
  tolerance_grad: number;
  /** Ends a step where neither the parameters nor the loss change by more. @defaultValue 1e-9 */
  tolerance_change: number;
  /** Of how many updates the curvature is made. @defaultValue 100 */
  history_size: number;
  /** `'strong_wolfe'`, or `null` for steps of length lr. @defaultValue null */
  line_search_fn: 'strong_wolfe' | null;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
}

const evaluationsOf = ({ max_eval, max_iter }: Host<LBFGSOptions>) => max_eval ?? Math.floor((max_iter * 5) / 4);

const lbfgs: Declaration<Host<LBFGSOptions>> = {
  name: 'LBFGS',
  defaults: {
    lr: 1,
    max_iter: 20,
    max_eval: null,
    tolerance_grad: 1e-7,
    tolerance_change: 1e-9,
    history_size: 100,
    line_search_fn: null,
    maximize: false,
  },
  positional: ['lr', 'max_iter', 'max_eval', 'tolerance_grad', 'tolerance_change', 'history_size', 'line_search_fn'],
  kinds: { max_eval: 'number or null', line_search_fn: 'string or null' },
  counted: false,
  older: { maximize: false },
  check(h, given) {
    oneElement('lr', given.lr);
    nonNegative('learning rate', h.lr);
  },
  derived: (h) => ({ max_eval: evaluationsOf(h) }),
};

/** The state of all parameters, kept under the first one. Vectors are all parameters, one after the other. */
interface State {
  func_evals: number;
  n_iter: number;
  d?: Float32Array;
  t?: Scalar;
  /** Differences of gradients, and of parameters; `ro` is one over their product. */
  old_dirs?: Float32Array[];
  old_stps?: Float32Array[];
  ro?: number[];
  H_diag?: number;
  prev_flat_grad?: Float32Array;
  prev_loss?: number;
  al?: (number | null)[];
}

type Closure = () => unknown;
/** What the search asks for: the closure's value, or the values of tensors. It runs the same with sync and async closures. */
type Request = { call: Closure } | { read: readonly tf.Tensor[] };
type Search<T> = Generator<Request, T, unknown>;

function* call(closure: Closure): Search<unknown> {
  return yield { call: closure };
}
function* read(tensors: readonly tf.Tensor[]): Search<Float32Array[]> {
  return (yield { read: tensors }) as Float32Array[];
}
function* toNumber(loss: unknown): Search<number> {
  if (!(loss instanceof tf.Tensor)) return Number(loss);
  if (loss.size !== 1) throw new ValueError('only one element tensors can be converted to Python scalars');
  return (yield* read([loss]))[0]![0]!;
}

/** Runs a search; from a closure's first promise on, asynchronously. */
function drive<T>(search: Search<T>): T | Promise<T> {
  let next = search.next();
  while (!next.done) {
    const request = next.value;
    if ('read' in request) next = search.next(request.read.map((t) => t.dataSync()));
    else {
      const value = internal.enable_grad(request.call);
      if (value instanceof Promise) return driveAsync(search, value);
      next = search.next(value);
    }
  }
  return next.value;
}

async function driveAsync<T>(search: Search<T>, first: Promise<unknown>): Promise<T> {
  let next = search.next(await first);
  while (!next.done) {
    const request = next.value;
    next = search.next(
      'read' in request
        ? await Promise.all(request.read.map((t) => t.data()))
        : await internal.enable_grad(request.call),
    );
  }
  return next.value;
}

const stepSignature: Signature<{ closure: Closure }> = signature('LBFGS.step', 'closure');

/**
 * L-BFGS: `torch.optim.LBFGS`. `step(closure)` calls the closure, which computes the loss and the gradients anew, up to
 * `max_eval` times, and returns its first value; with an async closure it returns a promise.
 *
 * One param group only. The arithmetic between two calls of the closure is done on the host. State, under the first
 * parameter: `func_evals`, `n_iter`, `d`, `t`, `old_dirs`, `old_stps`, `ro`, `H_diag`, `prev_flat_grad`, `prev_loss`, `al`.
 * Liu and Nocedal, 1989; the line search is Schmidt's minFunc.
 * @throws ValueError for an option out of range or several groups, with torch's text.
 */
export class LBFGS extends DeclaredOptimizer<LBFGSOptions> {
  static override readonly declaration = lbfgs;
  override readonly needsClosure = true;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: LBFGSOptions['lr'],
        max_iter: number,
        max_eval: number | null,
        tolerance_grad: number,
        tolerance_change: number,
        history_size: number,
        line_search_fn: LBFGSOptions['line_search_fn'],
      ],
      LBFGSOptions
    >
  ) {
    super(args);
  }

  protected override checkGroups(groups: readonly ParamGroup[]): void {
    if (groups.length !== 1) {
      throw new ValueError("LBFGS doesn't support per-parameter options (parameter groups)");
    }
  }

  /** @param closure computes the loss and the gradients anew; may be async, then the step is too */
  override step(): never;
  override step<T>(closure: (() => T) | { closure: () => T }): T;
  override step<T>(closure: (() => T) | null | undefined): T;
  override step(...args: unknown[]): unknown {
    const { closure } = bind(stepSignature, args);
    if (this.param_groups.length !== 1) {
      throw new AssertionError(`Expected exactly one param_group, but got ${this.param_groups.length}`);
    }
    const [group] = this.param_groups;
    const h = this.hostOptions(group!);
    if (h.line_search_fn !== null && h.line_search_fn !== 'strong_wolfe') {
      throw new RuntimeError("only 'strong_wolfe' is supported");
    }
    return drive(group!.params.length === 0 ? call(closure) : this.#search(closure, group!.params, h));
  }

  *#search(closure: Closure, params: readonly tf.Tensor[], h: Host<LBFGSOptions>): Search<unknown> {
    const maxEvaluations = evaluationsOf(h);
    const lr = this.param_groups[0]!.lr instanceof tf.Tensor ? single(h.lr) : h.lr;
    const sign = h.maximize ? -1 : 1;

    function* evaluate() {
      const value = yield* call(closure);
      const f = sign * (yield* toNumber(value));
      return { value, f, g: scaled(yield* flatGradient(params), sign) };
    }

    const first = yield* evaluate();
    let { f: loss, g } = first;
    const state = getOrMake(this.state, params[0]!, () => ({ func_evals: 0, n_iter: 0 })) as unknown as State;
    let evaluations = 1;
    state.func_evals++;
    const optimal = () => largest(g) <= h.tolerance_grad;
    if (optimal()) return first.value;

    let { d, t, old_dirs = [], old_stps = [], ro = [], H_diag = 1, prev_flat_grad, prev_loss } = state;
    for (let n = 1; n <= h.max_iter; n++) {
      state.n_iter++;
      if (state.n_iter === 1) d = scaled(g, -1);
      else {
        const y = difference(g, prev_flat_grad!);
        const s = scaled(d!, numberOf(t!));
        const ys = dot(y, s);
        if (ys > 1e-10) {
          if (old_dirs.length === h.history_size) for (const list of [old_dirs, old_stps, ro]) list.shift();
          old_dirs.push(y);
          old_stps.push(s);
          ro.push(Math.fround(1 / ys));
          H_diag = Math.fround(ys / dot(y, y));
        }
        state.al ??= new Array<number | null>(h.history_size).fill(null);
        d = direction(g, { old_dirs, old_stps, ro, H_diag, al: state.al });
      }
      prev_flat_grad = g;
      prev_loss = loss;

      t = state.n_iter === 1 ? mul(min(1, div(1, single(absSum(g)))), lr) : lr;
      const gtd = dot(g, d);
      if (gtd > -h.tolerance_change) break;

      const x = concatenated(yield* read(params));
      let calls = 0;
      if (h.line_search_fn !== null) {
        const along = d;
        function* tryLength(length: Scalar) {
          move(params, x, length, along);
          return yield* evaluate();
        }
        const start = { t: 0, f: loss, g, gtd: single(gtd) };
        const found = yield* strongWolfe(start, d, t, tryLength, maxEvaluations - evaluations);
        ({ f: loss, g, t } = found);
        calls = found.evaluations;
        move(params, x, t, d);
      } else {
        move(params, x, t, d);
        if (n !== h.max_iter) {
          ({ f: loss, g } = yield* evaluate());
          calls = 1;
        }
      }
      evaluations += calls;
      state.func_evals += calls;
      if (n === h.max_iter || evaluations >= maxEvaluations || optimal()) break;
      if (largest(scaled(d, numberOf(t))) <= h.tolerance_change || Math.abs(loss - prev_loss) < h.tolerance_change)
        break;
    }
    Object.assign(state, { d, t, old_dirs, old_stps, ro, H_diag, prev_flat_grad, prev_loss });
    return first.value;
  }

  protected override exported(value: unknown, key: string): unknown {
    const one = (v: unknown): unknown => {
      if (v instanceof Float32Array) return key === 't' ? tf.scalar(v[0]!) : tf.tensor1d(v.slice());
      if (Array.isArray(v)) return v.map(one);
      return typeof v === 'number' ? tf.scalar(v) : v;
    };
    const isTensor = value instanceof Float32Array || Array.isArray(value) || (key === 'H_diag' && value !== 1);
    return isTensor ? one(value) : super.exported(value, key);
  }

  protected override loaded(entry: ParamState, { group, id }: Loading): ParamState {
    const size = (group.params as tf.Tensor[]).reduce((n, p) => n + p.size, 0);
    const host = (value: unknown, key: string): unknown => {
      if (Array.isArray(value)) return value.map((v) => host(v, key));
      if (!(value instanceof tf.Tensor)) return value;
      if (value.rank === 0) return key === 't' ? Float32Array.from(value.dataSync()) : value.dataSync()[0];
      if (value.rank !== 1 || value.size !== size) {
        throw new ValueError(
          `loaded state dict: ${key} of parameter ${id} has shape [${value.shape}], but it must be [${size}]`,
        );
      }
      return Float32Array.from(value.dataSync());
    };
    return mapped(entry, host);
  }
}

/** The negated gradient times the approximate inverse Hessian: the two loops of L-BFGS. `al` is their scratch. */
function direction(
  g: Float32Array,
  { old_dirs, old_stps, ro, H_diag, al }: Required<Pick<State, 'old_dirs' | 'old_stps' | 'ro' | 'H_diag' | 'al'>>,
): Float32Array {
  const q = scaled(g, -1);
  for (let i = old_dirs.length - 1; i >= 0; i--) {
    al[i] = Math.fround(dot(old_stps[i]!, q) * ro[i]!);
    addScaled(q, -al[i]!, old_dirs[i]!);
  }
  const r = scaled(q, H_diag);
  for (let i = 0; i < old_dirs.length; i++) {
    addScaled(r, al[i]! - Math.fround(dot(old_dirs[i]!, r) * ro[i]!), old_stps[i]!);
  }
  return r;
}

function* flatGradient(params: readonly tf.Tensor[]): Search<Float32Array> {
  const grads = params.map((p) => internal.peekGrad(p));
  const values = yield* read(grads.filter((g) => g !== null));
  return concatenated(grads.map((g, i) => (g === null ? new Float32Array(params[i]!.size) : values.shift()!)));
}

/** Puts the parameters at x + t·d. */
function move(params: readonly tf.Tensor[], x: Float32Array, t: Scalar, d: Float32Array): void {
  const to = addScaled(x.slice(), numberOf(t), d);
  let offset = 0;
  internal.withGrad(false, () => {
    for (const p of params) {
      internal.update(p, tf.tensor(to.slice(offset, offset + p.size), p.shape, 'float32'));
      offset += p.size;
    }
  });
}
