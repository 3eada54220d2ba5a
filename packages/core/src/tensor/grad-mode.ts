/** Whether operations are recorded; one entry for each `no_grad` or `enable_grad` that has not ended, the innermost last. */
type Flow = { enabled: boolean }[];

const main: Flow = [{ enabled: true }];

interface Storage {
  getStore(): Flow | undefined;
  run<T>(flow: Flow, f: () => T): T;
}
let storage: Storage | null | undefined;

/** Node's AsyncLocalStorage, loaded when it is first needed; null in a browser. */
function asyncStorage(): Storage | null {
  if (storage === undefined) {
    const node = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process?.getBuiltinModule?.(
      'node:async_hooks',
    ) as { AsyncLocalStorage: new () => Storage } | undefined;
    storage = node ? new node.AsyncLocalStorage() : null;
  }
  return storage;
}

const current = (): Flow => storage?.getStore() ?? main;
const innermost = () => current().at(-1)!;

/** Whether operations are recorded for `backward()` just now. */
export const is_grad_enabled = (): boolean => innermost().enabled;

/** Turns recording on or off, to the end of the `no_grad` or `enable_grad` around the call. */
export function set_grad_enabled(mode: boolean): void {
  innermost().enabled = mode;
}

/** Enters a mode; what it returns leaves it again, whatever has been entered and left since. */
function enter(enabled: boolean): () => void {
  const flow = current();
  const scope = { enabled };
  flow.push(scope);
  return () => {
    flow.splice(flow.lastIndexOf(scope), 1);
  };
}

/** Calls a synchronous function under a mode: what the library itself uses. */
export function withGrad<T>(enabled: boolean, f: () => T): T {
  const leave = enter(enabled);
  try {
    return f();
  } finally {
    leave();
  }
}

function scoped<T>(enabled: boolean, f: () => T): T {
  // An async function goes on after this call has returned. In Node it has a flow of its own, so that nothing that runs
  // between its awaits sees its mode; a browser has no such thing, so there the mode is held until it ends.
  const store = asyncStorage();
  if (store) return store.run([{ enabled }], f);
  const leave = enter(enabled);
  let result: T | undefined;
  try {
    result = f();
    return result instanceof Promise ? (result.finally(leave) as T) : result;
  } finally {
    if (!(result instanceof Promise)) leave();
  }
}

/** `with torch.no_grad():` — nothing that `f` does is recorded. `f` may be async. Returns what `f` returns. */
export const no_grad = <T>(f: () => T): T => scoped(false, f);

/** `with torch.enable_grad():` — records again inside a `no_grad`. `f` may be async. Returns what `f` returns. */
export const enable_grad = <T>(f: () => T): T => scoped(true, f);
