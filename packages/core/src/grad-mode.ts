/** Whether operations are recorded. Each holder is one flow of control: the main one, or one `async` function's. */
interface Mode {
  enabled: boolean;
}

const main: Mode = { enabled: true };

interface Storage {
  getStore(): Mode | undefined;
  run<T>(mode: Mode, f: () => T): T;
}
let storage: Storage | null | undefined;

/** Node's AsyncLocalStorage, loaded when the first async function asks; null in a browser. */
function asyncStorage(): Storage | null {
  if (storage === undefined) {
    const node = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process?.getBuiltinModule?.(
      'node:async_hooks',
    ) as { AsyncLocalStorage: new () => Storage } | undefined;
    storage = node ? new node.AsyncLocalStorage() : null;
  }
  return storage;
}

const current = (): Mode => storage?.getStore() ?? main;

/** Whether operations are recorded for `backward()` just now. */
export const is_grad_enabled = (): boolean => current().enabled;

/** Turn recording on or off until the next call; prefer `no_grad(f)`. */
export function set_grad_enabled(mode: boolean): void {
  current().enabled = mode;
}

/** Calls a synchronous function under a mode: what the library itself uses. */
export function withGrad<T>(enabled: boolean, f: () => T): T {
  const mode = current();
  const before = mode.enabled;
  mode.enabled = enabled;
  try {
    return f();
  } finally {
    mode.enabled = before;
  }
}

const isAsync = (f: Function) => f.constructor.name === 'AsyncFunction';

function scoped<T>(enabled: boolean, f: () => T): T {
  // An async function goes on after this call has returned. In Node it gets a mode of its own, so that nothing else
  // that runs between its awaits sees it; a browser has no such thing, so there the mode is held until it ends.
  const store = isAsync(f) ? asyncStorage() : null;
  if (store) return store.run({ enabled }, f);
  const mode = current();
  const before = mode.enabled;
  mode.enabled = enabled;
  let pending = false;
  try {
    const result = f();
    if (result instanceof Promise) {
      pending = true;
      return result.finally(() => {
        mode.enabled = before;
      }) as T;
    }
    return result;
  } finally {
    if (!pending) mode.enabled = before;
  }
}

/** `with torch.no_grad():` — nothing that `f` does is recorded. `f` may be async. Returns what `f` returns. */
export const no_grad = <T>(f: () => T): T => scoped(false, f);

/** `with torch.enable_grad():` — records again inside a `no_grad`. `f` may be async. Returns what `f` returns. */
export const enable_grad = <T>(f: () => T): T => scoped(true, f);
