// Python's built-in exceptions that torch raises and JavaScript lacks. JavaScript's TypeError stands for Python's.

// Their names stand on the prototypes: a minifier renames classes, and a stack trace is headed at construction.

export class ValueError extends Error {
  static {
    ValueError.prototype.name = 'ValueError';
  }
}
export class RuntimeError extends Error {
  static {
    RuntimeError.prototype.name = 'RuntimeError';
  }
}
export class KeyError extends Error {
  static {
    KeyError.prototype.name = 'KeyError';
  }
}
export class IndexError extends Error {
  static {
    IndexError.prototype.name = 'IndexError';
  }
}
export class AttributeError extends Error {
  static {
    AttributeError.prototype.name = 'AttributeError';
  }
}
export class AssertionError extends Error {
  static {
    AssertionError.prototype.name = 'AssertionError';
  }
}
export class NotImplementedError extends Error {
  static {
    NotImplementedError.prototype.name = 'NotImplementedError';
  }
}

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
