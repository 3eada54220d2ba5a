import type { Declaration } from '../declaration';
import { getOrMake } from '../get-or-make';
import { Expr } from './expr';

/** Options that `update` branches on; they are decided once, when the rule is traced. */
export type Flags = Readonly<Record<string, boolean>>;

/**
 * An optimizer's update of one parameter, written once; executors run it.
 *
 * `H`: the options of a param group, as plain numbers, booleans and tuples.
 * `Slot`: the names of its state tensors. `Kept`: the names of the numbers that its state keeps beside them. `Scalar`: the
 * names of its host scalars.
 */
export interface Rule<
  H extends object,
  Slot extends string,
  Kept extends string,
  Scalar extends string,
  F extends Flags,
> extends Declaration<H> {
  /** Whether torch makes the state in the constructor, and not at the first step that finds a gradient. */
  readonly eager?: boolean;
  /** `s`: the scalars of this update, for a branch that torch takes on the host. */
  flags(h: H, s: Readonly<Record<Scalar, number>>): F;
  /**
   * The state tensors and the value that each is filled with at first; which there are depends on the options only.
   * `initial`: the options that the constructor was given, whatever those of the group are.
   */
  state(h: H, initial: H): Partial<Record<Slot, number>>;
  /** The numbers of the state before the first update. */
  kept?(h: H): Record<Kept, number>;
  /** The numbers of the state after update `t`. `round`: to float32, as torch keeps them, or not in the reference. */
  next?(h: H, t: number, kept: Readonly<Record<Kept, number>>, round: (x: number) => number): Record<Kept, number>;
  /**
   * Host scalars of one update, computed in float64; a change of them retraces nothing.
   * `t`: the parameter's updates, this one included (0 in a rule that is not `counted`). `fresh`: its state was just made.
   * `kept`, `next`: the numbers of the state before and after.
   */
  scalars(
    h: H,
    t: number,
    fresh: boolean,
    kept: Readonly<Record<Kept, number>>,
    next: Readonly<Record<Kept, number>>,
  ): Record<Scalar, number>;
  /** Torch's single-tensor CPU path, operation by operation, so that rounding agrees. */
  update(
    x: Readonly<Record<'param' | 'grad' | Slot, Expr>>,
    s: Readonly<Record<Scalar, Expr>>,
    flags: F,
  ): { param: Expr } & Partial<Record<Slot, Expr>>;
}

/** A rule of which only the names at run time matter. */
export type AnyRule<H extends object = object> = Rule<H, string, string, string, Flags>;

/** Gives a rule its types from its parts, and then hides the names from those who only run it. */
export const rule = <H extends object>() => {
  return <Slot extends string, Scalar extends string, F extends Flags, Kept extends string = never>(
    r: Rule<H, Slot, Kept, Scalar, F> & { readonly positional: readonly (keyof H)[] },
  ): AnyRule<H> => r as unknown as AnyRule<H>;
};

/** A rule under one combination of flags: what an executor runs. */
export interface Trace {
  /** State slots that the update reads and writes. */
  readonly slots: readonly string[];
  readonly scalars: readonly string[];
  /** New values of `param` and of each slot. */
  readonly outputs: Readonly<Record<string, Expr>>;
}

const traces = new WeakMap<object, Map<string, Trace>>();

const leaves = (op: 'input' | 'scalar', names: readonly string[]) =>
  Object.fromEntries(names.map((n) => [n, Expr.leaf(op, n)])) as Record<string, Expr>;

/** Traces `rule` for the options and scalars of an update, or finds the trace that an earlier call made with the same flags. */
export function trace<H extends object>(rule: AnyRule<H>, h: H, s: Readonly<Record<string, number>>): Trace {
  const flags = rule.flags(h, s);
  const made = getOrMake(traces, rule, () => new Map<string, Trace>());
  return getOrMake(made, Object.values(flags).map(Number).join(''), () => {
    const slots = Object.keys(rule.state(h, h));
    const scalars = Object.keys(s);
    const x = leaves('input', ['param', 'grad', ...slots]) as Record<'param' | 'grad', Expr>;
    const outputs = rule.update(x, leaves('scalar', scalars), flags) as Record<string, Expr>;
    const known = ['param', ...slots];
    const stray = Object.keys(outputs).find((name) => !known.includes(name));
    if (stray !== undefined)
      throw new TypeError(`${rule.name}: update gives '${stray}', but the state has no such tensor`);
    if (!outputs.param) throw new TypeError(`${rule.name}: update must give the new 'param'`);
    return { slots, scalars, outputs };
  });
}
