// Python's built-in exceptions that torch raises and JavaScript lacks. JavaScript's TypeError stands for Python's.

abstract class PythonError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

export class ValueError extends PythonError {}
export class RuntimeError extends PythonError {}
export class KeyError extends PythonError {}
export class IndexError extends PythonError {}
export class AttributeError extends PythonError {}
export class AssertionError extends PythonError {}
export class NotImplementedError extends PythonError {}

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
