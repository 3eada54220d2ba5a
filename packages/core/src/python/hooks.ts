import { bind, signature } from './bind';

/** Whether a hook is to run before those that are there. @defaultValue false */
export type Prepend = boolean | { prepend?: boolean };

const addSignature = signature<{ prepend: boolean }>('register_hook', 'prepend=False');

/** What a `register_…` method returns. */
export interface RemovableHandle {
  remove(): void;
}

/** Hooks in the order in which they run. */
export class Hooks<F> {
  private list: { hook: F }[] = [];
  /** As a list that no later registration changes. */
  all: readonly F[] = [];

  add(hook: F, ...where: Prepend[]): RemovableHandle {
    const { prepend } = bind(addSignature, where);
    const entry = { hook };
    this.set(prepend ? [entry, ...this.list] : [...this.list, entry]);
    return { remove: () => this.set(this.list.filter((other) => other !== entry)) };
  }

  private set(list: { hook: F }[]) {
    this.list = list;
    this.all = list.map(({ hook }) => hook);
  }
}
