import { KeyError } from '@tfjs-torch/core';
import type { AnyRule } from './rule';

/** The state of one parameter; `T` is what a slot is kept in: a tensor, a Float64Array. */
export type SlotState<T> = Record<string, T | number>;

export interface Begun<T> {
  /** The parameter's updates, the one to come included; 0 in a rule that does not count. */
  t: number;
  /** Slots that this update needs and the state lacks. The caller adds them to the state when the update is done. */
  made: Record<string, T>;
}

/** Prepares the next update of one parameter. @throws KeyError, as torch, if a state lacks what the options now ask for. */
export function begin<H extends object, T>(
  rule: AnyRule<H>,
  h: H,
  state: SlotState<T>,
  make: (fill: number) => T,
): Begun<T> {
  const fills = Object.entries(rule.state(h)) as [string, number][];
  const made: Record<string, T> = {};
  if (rule.counted && Object.keys(state).length > 0) {
    for (const key of ['step', ...fills.map(([name]) => name)]) {
      if (!(key in state)) throw new KeyError(`'${key}'`);
    }
  } else {
    for (const [name, fill] of fills) if (!(name in state)) made[name] = make(fill);
  }
  return { t: rule.counted ? ((state.step as number | undefined) ?? 0) + 1 : 0, made };
}

/** Enters a finished update into the state, `step` first, as torch has it. */
export function commit<H extends object, T>(rule: AnyRule<H>, state: SlotState<T>, { t, made }: Begun<T>) {
  if (rule.counted) state.step = t;
  Object.assign(state, made);
}
