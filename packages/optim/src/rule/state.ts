import { KeyError } from '@tfjs-torch/core';
import type { AnyRule } from './rule';

/** The state of one parameter; `T` is what a slot is kept in: a tensor, a Float64Array. */
export type SlotState<T> = Record<string, T | number>;

/** How a state is kept. */
export interface Keeping<H, T> {
  /** The options that the constructor was given. */
  initial: H;
  make(fill: number): T;
  /** What keeping a number does to it. */
  round(x: number): number;
}

export interface Begun<T> {
  /** Host scalars of the update to come. */
  scalars: Record<string, number>;
  /** Numbers of the state as they are after the update, `step` first. */
  numbers: Record<string, number>;
  /** Slots that this update needs and the state lacks. The caller adds them to the state when the update is done. */
  made: Record<string, T>;
}

/** The names of the numbers that a state keeps, in the order in which torch does. */
export const numberKeys = <H extends object>(rule: AnyRule<H>, h: H): string[] => [
  ...(rule.counted ? ['step'] : []),
  ...Object.keys(rule.kept?.(h) ?? {}),
];

/** The state of one parameter before its first update. */
export const firstState = <H extends object, T>(
  rule: AnyRule<H>,
  h: H,
  { initial, make, round }: Keeping<H, T>,
): SlotState<T> => ({
  ...(rule.counted && { step: 0 }),
  ...rounded(rule.kept?.(h) ?? {}, round),
  ...madeSlots(rule.state(h, initial), make),
});

const rounded = (numbers: Record<string, number>, round: (x: number) => number) =>
  Object.fromEntries(Object.entries(numbers).map(([key, x]) => [key, round(x)]));
const madeSlots = <T>(fills: Partial<Record<string, number>>, make: (fill: number) => T) =>
  Object.fromEntries(Object.entries(fills).map(([key, fill]) => [key, make(fill!)]));

/** Prepares the next update of one parameter. @throws KeyError, as torch, if a state lacks what the options now ask for. */
export function begin<H extends object, T>(
  rule: AnyRule<H>,
  h: H,
  state: Readonly<SlotState<T>>,
  keeping: Keeping<H, T>,
): Begun<T> {
  const { initial, make, round } = keeping;
  const fills = rule.state(h, initial);
  const first = Object.keys(state).length === 0;
  if (rule.counted && !first) {
    for (const key of [...numberKeys(rule, h), ...Object.keys(fills)]) {
      if (!(key in state)) throw new KeyError(`'${key}'`);
    }
  }
  const lacking = Object.fromEntries(Object.entries(fills).filter(([key]) => !(key in state)));
  const made = madeSlots(lacking, make);
  const t = rule.counted ? ((state.step as number | undefined) ?? 0) + 1 : 0;
  const kept = first ? rounded(rule.kept?.(h) ?? {}, round) : (state as Record<string, number>);
  const next = rounded(rule.next?.(h, t, kept, round) ?? {}, round);
  return {
    scalars: rule.scalars(h, t, Object.keys(made).length > 0, kept, next),
    numbers: { ...(rule.counted && { step: t }), ...next },
    made,
  };
}

/** Enters a finished update into the state, in torch's order. */
export function commit<T>(state: SlotState<T>, { numbers, made }: Begun<T>) {
  Object.assign(state, numbers, made);
}
