/** What a `register_…` method returns. */
export interface RemovableHandle {
  remove(): void;
}

/** Hooks in the order in which they run. */
export class Hooks<F> {
  private list: { hook: F }[] = [];

  add(hook: F, prepend = false): RemovableHandle {
    const entry = { hook };
    this.list = prepend ? [entry, ...this.list] : [...this.list, entry];
    return {
      remove: () => {
        this.list = this.list.filter((other) => other !== entry);
      },
    };
  }

  *[Symbol.iterator](): Iterator<F> {
    for (const { hook } of this.list) yield hook;
  }
}
