import type { OptimizerArgs } from './options';
import type { Flags, Rule } from './rule/rule';
import { RuleOptimizer } from './rule-optimizer';

type DefaultValue = number | string | boolean | null | readonly (number | null)[];
/** Of what type an option is, by its default: `null` stands for true, false or null. */
type OptionOf<V> = V extends number
  ? number
  : V extends string
    ? string
    : V extends boolean | null
      ? V extends null
        ? boolean | null
        : boolean
      : { readonly [I in keyof V]: OptionOf<V[I]> };
type OptionsOf<D> = { -readonly [K in keyof D]: OptionOf<D[K]> };
type PositionalOf<D, P extends readonly (keyof D)[]> = { -readonly [I in keyof P]: OptionOf<D[P[I]]> };

/** What makes an optimizer: a rule, of which all but the name, the defaults, the scalars and the update may be left out. */
export interface OptimizerDefinition<
  D extends Readonly<Record<string, DefaultValue>>,
  P extends readonly (keyof D & string)[],
  Slot extends string,
  Kept extends string,
  Scalar extends string,
  F extends Flags,
> extends Pick<Rule<OptionsOf<D>, Slot, Kept, Scalar, F>, 'kept' | 'next' | 'scalars' | 'update' | 'sparse'> {
  /** The class's name, which errors and `toString` show. */
  readonly name: string;
  /** The options of a param group, with their defaults. */
  readonly defaults: D;
  /** The options that may also be given by position, in that order. @defaultValue [] */
  readonly positional?: P;
  /** Whether the state counts the parameter's updates in `step`; without, `t` is 0. @defaultValue true */
  readonly counted?: boolean;
  /** Throws for options that are out of range. */
  check?(h: OptionsOf<D>): void;
  /** What `update` branches on. @defaultValue nothing */
  flags?(h: OptionsOf<D>, s: Readonly<Record<Scalar, number>>): F;
  /** The state tensors, and the value that each is filled with at first. @defaultValue none */
  state?(h: OptionsOf<D>): Partial<Record<Slot, number>>;
}

/** The class of an optimizer that was defined by its rule. */
export interface DefinedOptimizer<O extends object, Positional extends readonly unknown[]> {
  new (...args: OptimizerArgs<Positional, O>): RuleOptimizer<O>;
}

/**
 * Makes an optimizer's class from its update rule; every executor runs it. docs/adding-an-optimizer.md shows Lion.
 *
 * `scalars(h, t)` computes the numbers of one update from the options and the count of updates, in float64. `update(x, s)`
 * says what becomes of the parameter and of each state tensor: an expression of `x.param`, `x.grad`, the state `x.<name>` and
 * the scalars `s.<name>`. It is traced once for each combination of flags, so it may branch on flags only.
 */
export function defineOptimizer<
  const D extends Readonly<Record<string, DefaultValue>>,
  Scalar extends string,
  Slot extends string = never,
  Kept extends string = never,
  F extends Flags = Record<never, boolean>,
  const P extends readonly (keyof D & string)[] = [],
>(definition: OptimizerDefinition<D, P, Slot, Kept, Scalar, F>): DefinedOptimizer<OptionsOf<D>, PositionalOf<D, P>> {
  const { name } = definition;
  const rule = {
    positional: [],
    counted: true,
    older: {},
    check: () => {},
    flags: () => ({}),
    state: () => ({}),
    ...definition,
  };
  const classes = {
    [name]: class extends RuleOptimizer<OptionsOf<D>> {
      static override readonly rule = rule as unknown as typeof RuleOptimizer.rule;
      constructor(...args: unknown[]) {
        super(args);
      }
    },
  };
  return classes[name] as unknown as DefinedOptimizer<OptionsOf<D>, PositionalOf<D, P>>;
}
