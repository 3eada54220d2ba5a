import { KeyError } from '@tfjs-torch/core/base';
import type { AnyRule } from './rule';

/** The state of one parameter; `T` is what a slot is kept in: a tensor, a Float64Array. */
export type SlotState<T> = Record<string, T | number>;

/** How a state is kept. */
interface Keeping<H> {
  /** The options that the constructor was given. */
  initial: H;
  /** What keeping a number does to it. */
  round(x: number): number;
}

/** The names of the numbers that a state keeps, in the order in which torch does. */
export const numberKeys = <H extends object>(rule: AnyRule<H>, h: H): string[] => [
  ...(rule.counted ? ['step'] : []),
  ...Object.keys(rule.kept?.(h) ?? {}),
];

/** A rule under the options of one group. */
export interface Plan {
  counted: boolean;
  /** The slots and what each is filled with at first. */
  fills: readonly (readonly [slot: string, fill: number])[];
  /** The numbers of a state before its first update. */
  kept: Readonly<Record<string, number>>;
  /** The names of `kept`. */
  keptKeys: readonly string[];
  /** Those of all numbers. */
  numberKeys: readonly string[];
  /** All that a state holds: the numbers, then the slots. */
  keys: readonly string[];
  /** The host scalars of an update, and the numbers of the state after it. */
  advance(begun: Begun<unknown>): { scalars: Record<string, number>; numbers: Record<string, number> };
}

export function plan<H extends object>(rule: AnyRule<H>, h: H, { initial, round }: Keeping<H>): Plan {
  const { counted } = rule;
  const fills = Object.entries(rule.state(h, initial)) as [string, number][];
  const kept = rule.kept ? rounded(rule.kept(h), round) : {};
  const numbers = numberKeys(rule, h);
  return {
    counted,
    fills,
    kept,
    keptKeys: Object.keys(kept),
    numberKeys: numbers,
    keys: [...numbers, ...fills.map(([slot]) => slot)],
    advance({ t, made, kept }) {
      const next = rule.next ? rounded(rule.next(h, t, kept, round), round) : {};
      return {
        scalars: rule.scalars(h, t, made !== null, kept, next),
        numbers: counted ? { step: t, ...next } : next,
      };
    },
  };
}

const rounded = (numbers: Record<string, number>, round: (x: number) => number) =>
  Object.fromEntries(Object.entries(numbers).map(([key, x]) => [key, round(x)]));

/** The state of one parameter before its first update. */
export const firstState = <T>({ counted, kept, fills }: Plan, make: (fill: number) => T): SlotState<T> => ({
  ...(counted && { step: 0 }),
  ...kept,
  ...Object.fromEntries(fills.map(([slot, fill]) => [slot, make(fill)])),
});

/** What the next update of one parameter begins with. */
export interface Begun<T> {
  /** The parameter's updates, this one included; 0 in a rule that does not count. */
  t: number;
  /** Its state, as yet without what is made. */
  state: SlotState<T>;
  /** Whether that was empty. */
  first: boolean;
  /** Slots that the update needs and the state lacks; null if it lacks none. */
  made: Record<string, T> | null;
  /** The numbers of the state. */
  kept: Readonly<Record<string, number>>;
}

/** Whether a state has all that an update needs. */
export const isWhole = ({ keys }: Plan, state: SlotState<unknown>): boolean =>
  keys.every((key) => state[key] !== undefined);

/** Prepares the next update of one parameter. @throws KeyError, as torch, if a state lacks what the options now ask for. */
export function begin<T>(plan: Plan, state: SlotState<T>, make: (fill: number) => T): Begun<T> {
  const { keys, counted } = plan;
  // By far the most frequent: all that an update needs is there.
  if (keys.length > 0 && isWhole(plan, state)) {
    const kept = state as Record<string, number>;
    return { t: counted ? kept.step! + 1 : 0, state, first: false, made: null, kept };
  }
  const first = Object.keys(state).length === 0;
  if (counted && !first) for (const key of keys) if (!(key in state)) throw new KeyError(`'${key}'`);
  let made: Record<string, T> | null = null;
  for (const [slot, fill] of plan.fills) {
    if (slot in state) continue;
    made ??= {};
    made[slot] = make(fill);
  }
  const t = counted ? ((state.step as number | undefined) ?? 0) + 1 : 0;
  return { t, state, first, made, kept: first ? plan.kept : (state as Record<string, number>) };
}

/** Whether two updates of one group have the same scalars. */
export function alike({ keptKeys }: Plan, a: Begun<unknown>, b: Begun<unknown>): boolean {
  if (a.t !== b.t || (a.made === null) !== (b.made === null)) return false;
  for (const key of keptKeys) if (!Object.is(a.kept[key], b.kept[key])) return false;
  return true;
}

/** Enters a finished update into its state, in torch's order. */
export function commit<T>({ state, made }: Pick<Begun<T>, 'state' | 'made'>, numbers: Record<string, number>) {
  for (const key in numbers) state[key] = numbers[key]!;
  if (made) Object.assign(state, made);
}
