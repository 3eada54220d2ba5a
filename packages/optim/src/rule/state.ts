import { KeyError } from '@tfjs-torch/core/base';
import type { AnyRule } from './rule';

/** The state of one parameter; `T` is what a slot is kept in: a tensor, a Float64Array. */
export type SlotState<T> = Record<string, T | number>;

/** How a state is kept. */
export interface Keeping<H> {
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
  /** What a state that is not empty must hold. */
  needed: readonly string[];
  /** The host scalars of an update, and the numbers of the state after it. */
  advance(begun: Begun<unknown>): { scalars: Record<string, number>; numbers: Record<string, number> };
}

export function plan<H extends object>(rule: AnyRule<H>, h: H, { initial, round }: Keeping<H>): Plan {
  const { counted } = rule;
  const fills = Object.entries(rule.state(h, initial)) as [string, number][];
  return {
    counted,
    fills,
    kept: rounded(rule.kept?.(h) ?? {}, round),
    needed: counted ? [...numberKeys(rule, h), ...fills.map(([slot]) => slot)] : [],
    advance({ t, made, kept }) {
      const next = rounded(rule.next?.(h, t, kept, round) ?? {}, round);
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
  /** Slots that the update needs and the state lacks; null if it lacks none. */
  made: Record<string, T> | null;
  /** The numbers of the state. */
  kept: Readonly<Record<string, number>>;
}

/** Prepares the next update of one parameter. @throws KeyError, as torch, if a state lacks what the options now ask for. */
export function begin<T>(plan: Plan, state: SlotState<T>, make: (fill: number) => T): Begun<T> {
  let first = true;
  for (const _ in state) {
    first = false;
    break;
  }
  if (!first) for (const key of plan.needed) if (!(key in state)) throw new KeyError(`'${key}'`);
  let made: Record<string, T> | null = null;
  for (const [slot, fill] of plan.fills) {
    if (slot in state) continue;
    made ??= {};
    made[slot] = make(fill);
  }
  const t = plan.counted ? ((state.step as number | undefined) ?? 0) + 1 : 0;
  return { t, state, made, kept: first ? plan.kept : (state as Record<string, number>) };
}

/** What tells updates of one group apart: those of the same key have the same scalars. */
export function scalarKey({ kept }: Plan, begun: Begun<unknown>): string {
  let key = `${begun.t},${begun.made !== null}`;
  for (const name in kept) key += `,${begun.kept[name]}`;
  return key;
}

/** Enters a finished update into its state, in torch's order. */
export function commit<T>({ state, made }: Begun<T>, numbers: Record<string, number>) {
  Object.assign(state, numbers);
  if (made) Object.assign(state, made);
}
