// Python's built-in exceptions that torch raises and JavaScript lacks. JavaScript's TypeError stands for Python's.

// Their names stand on the prototypes: a minifier renames classes, and a stack trace is headed at construction. Marked as pure,
// a bundler drops the classes that a page does not use.
function named(name: string): typeof Error {
  class PythonError extends Error {}
  PythonError.prototype.name = name;
  return PythonError as typeof Error;
}

export class ValueError extends /* @__PURE__ */ named('ValueError') {}
export class RuntimeError extends /* @__PURE__ */ named('RuntimeError') {}
export class KeyError extends /* @__PURE__ */ named('KeyError') {}
export class IndexError extends /* @__PURE__ */ named('IndexError') {}
export class AttributeError extends /* @__PURE__ */ named('AttributeError') {}
export class AssertionError extends /* @__PURE__ */ named('AssertionError') {}
export class NotImplementedError extends /* @__PURE__ */ named('NotImplementedError') {}

export type WarningCategory = 'UserWarning' | 'FutureWarning' | 'DeprecationWarning' | 'RuntimeWarning';
export interface Warning {
  message: string;
  category: WarningCategory;
}
export type WarningSink = (warning: Warning) => void;

const shown = new Set<string>();

// As Python's default filter, a text is shown once.
function show({ message, category }: Warning): void {
  const line = `${category}: ${message}`;
  if (shown.has(line)) return;
  shown.add(line);
  console.warn(line);
}

let sink: WarningSink = show;

export function warn(message: string, category: WarningCategory = 'UserWarning'): void {
  sink({ message, category });
}

/** Where warnings go from now on; `null` restores the default (`console.warn`, each text once). Returns the sink it replaced. */
export function setWarningSink(next: WarningSink | null): WarningSink {
  const previous = sink;
  sink = next ?? show;
  return previous;
}

/** Runs `body` and returns the warnings it gave, none of which is shown (`warnings.catch_warnings(record=True)`). */
export function catch_warnings(body: () => void): Warning[] {
  const caught: Warning[] = [];
  const previous = setWarningSink((warning) => caught.push(warning));
  try {
    body();
  } finally {
    setWarningSink(previous);
  }
  return caught;
}
