// The argument rule: positional as in Python, keywords in one plain object at the end.

/** A parsed parameter list; make one with {@link signature}. */
export interface Signature<T> {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Number of parameters that can be given by position. */
  readonly positional: number;
  /** The name of `*args`, which takes all further positional arguments as an array. */
  readonly rest: string | null;
  readonly byName: ReadonlyMap<string, Parameter>;
  /** Only carries `T`. */
  readonly result?: T;
}

interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly defaultValue: unknown;
  /** A plain object at this position is the argument itself, not the keywords. */
  readonly dict: boolean;
}

type Prefixes<P extends readonly unknown[]> = P extends readonly [...infer Init, unknown] ? P | Prefixes<Init> : [];
type WithOptions<P, O> = P extends readonly unknown[] ? [...P, options?: O] : never;

/**
 * What a call may pass: the first positional arguments, as many as wanted, then perhaps the options object.
 * `constructor(params: ParamsInput, ...args: Args<[lr: number, momentum: number], SGDOptions>)`
 */
export type Args<Positional extends readonly unknown[], Options> = WithOptions<Prefixes<Positional>, Options>;

/**
 * Parses a Python parameter list, as torch prints it: `signature('SGD.__init__', 'params, lr=0.001, *, fused=None')`.
 * Defaults are numbers, strings, `True`, `False`, `None` and tuples of them; `*` starts the keyword-only ones, `*name` takes
 * the remaining positional ones. `name: dict` marks a positional argument that is itself a plain object.
 * A dotted `name` is a method's: its errors count `self`, as Python's do.
 */
export function signature<T = Record<string, unknown>>(name: string, list: string): Signature<T> {
  const parameters: Parameter[] = [];
  let positional = -1;
  let rest: string | null = null;
  for (const text of splitTopLevel(list)) {
    if (text.startsWith('*')) {
      positional = parameters.length;
      rest = text.slice(1) || null;
      continue;
    }
    const [, parameter, annotation, defaultText] =
      /^([A-Za-z_]\w*)\s*(?::\s*(\w+))?\s*(?:=\s*(.+))?$/s.exec(text) ?? [];
    if (parameter === undefined) throw new SyntaxError(`${name}: cannot read the parameter \`${text}\``);
    parameters.push({
      name: parameter,
      required: defaultText === undefined,
      defaultValue: defaultText === undefined ? undefined : parseLiteral(defaultText),
      dict: annotation === 'dict',
    });
  }
  if (positional < 0) positional = parameters.length;
  return { name, parameters, positional, rest, byName: new Map(parameters.map((p) => [p.name, p])) };
}

/**
 * Assigns `args` to the parameters of `sig`, with defaults. `undefined` means not given.
 * @throws TypeError with Python's text: a missing, unknown or doubly given argument, or too many of them.
 */
export function bind<T = Record<string, unknown>>(sig: Signature<T>, args: readonly unknown[]): T {
  const { parameters, positional, rest, byName } = sig;
  const last = args.at(-1);
  const hasKeywords = isPlainObject(last) && !parameters[args.length - 1]?.dict;
  const given = hasKeywords ? args.slice(0, -1) : args;
  const bound: Record<string, unknown> = {};

  for (let i = 0; i < Math.min(given.length, positional); i++) {
    if (given[i] !== undefined) bound[parameters[i]!.name] = given[i];
  }
  if (rest !== null) bound[rest] = given.slice(positional);

  // The order of the checks is CPython's.
  let keywordOnlyGiven = 0;
  if (hasKeywords) {
    for (const [key, value] of Object.entries(last)) {
      if (value === undefined) continue;
      const parameter = byName.get(key);
      if (parameter === undefined) throw new TypeError(unexpectedKeyword(sig, key));
      if (Object.hasOwn(bound, key)) throw new TypeError(`${sig.name}() got multiple values for argument '${key}'`);
      if (parameters.indexOf(parameter) >= positional) keywordOnlyGiven++;
      bound[key] = value;
    }
  }
  if (rest === null && given.length > positional) throw new TypeError(tooMany(sig, given.length, keywordOnlyGiven));

  const missing = parameters.filter((p) => p.required && !Object.hasOwn(bound, p.name));
  if (missing.length > 0) throw new TypeError(missingArguments(sig, missing));
  for (const { name, defaultValue } of parameters) {
    if (!Object.hasOwn(bound, name)) bound[name] = Array.isArray(defaultValue) ? [...defaultValue] : defaultValue;
  }
  return bound as T;
}

/** True for `{…}` and `Object.create(null)`; false for arrays, class instances and tensors. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function splitTopLevel(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let part = '';
  for (const c of list) {
    if (quote) {
      if (c === quote) quote = '';
    } else if (c === "'" || c === '"') quote = c;
    else if (c === '(') depth++;
    else if (c === ')') depth--;
    if (c === ',' && depth === 0 && !quote) {
      parts.push(part.trim());
      part = '';
    } else part += c;
  }
  parts.push(part.trim());
  return parts.filter((p) => p !== '');
}

const constants: Record<string, unknown> = { True: true, False: false, None: null };

function parseLiteral(text: string): unknown {
  if (Object.hasOwn(constants, text)) return constants[text];
  if (/^(['"]).*\1$/s.test(text)) return text.slice(1, -1);
  if (text.startsWith('(') && text.endsWith(')')) return splitTopLevel(text.slice(1, -1)).map(parseLiteral);
  const number = Number(text);
  if (text === '' || Number.isNaN(number)) throw new SyntaxError(`cannot read the default \`${text}\``);
  return number;
}

const isMethod = (sig: Signature<unknown>) => sig.name.includes('.');

function tooMany(sig: Signature<unknown>, given: number, keywordOnlyGiven: number): string {
  const self = isMethod(sig) ? 1 : 0;
  const most = sig.positional + self;
  const required = sig.parameters.slice(0, sig.positional).filter((p) => p.required).length + self;
  const plural = most !== 1;
  const takes = required < most ? `from ${required} to ${most}` : `${most}`;
  const positionals = given + self;
  const were =
    keywordOnlyGiven > 0
      ? `${positionals} positional argument${positionals === 1 ? '' : 's'} (and ${keywordOnlyGiven} keyword-only argument${keywordOnlyGiven === 1 ? '' : 's'}) were`
      : `${positionals} ${positionals === 1 ? 'was' : 'were'}`;
  return `${sig.name}() takes ${takes} positional argument${plural ? 's' : ''} but ${were} given`;
}

function missingArguments(sig: Signature<unknown>, missing: Parameter[]): string {
  const isPositional = (p: Parameter) => sig.parameters.indexOf(p) < sig.positional;
  const positionals = missing.filter(isPositional);
  const names = (positionals.length > 0 ? positionals : missing).map((p) => `'${p.name}'`);
  const kind = positionals.length > 0 ? 'positional' : 'keyword-only';
  const list =
    names.length <= 2 ? names.join(' and ') : `${names.slice(0, -1).join(', ')}, and ${names[names.length - 1]}`;
  return `${sig.name}() missing ${names.length} required ${kind} argument${names.length === 1 ? '' : 's'}: ${list}`;
}

function unexpectedKeyword(sig: Signature<unknown>, key: string): string {
  const nearest = suggest(key, [...sig.byName.keys()]);
  return `${sig.name}() got an unexpected keyword argument '${key}'${nearest === null ? '' : `. Did you mean '${nearest}'?`}`;
}

/** The nearest of `names` by CPython's rule (Python/suggestions.c), or null where none is near. */
export function suggest(name: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const limit = Math.min(Math.floor(((name.length + candidate.length + 3) * moveCost) / 6), bestDistance - 1);
    const distance = editDistance(name, candidate);
    if (distance > limit) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

const moveCost = 2;
const caseCost = 1;

const substitutionCost = (a: string, b: string) =>
  a === b ? 0 : a.toLowerCase() === b.toLowerCase() ? caseCost : moveCost;

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j * moveCost);
  for (let i = 0; i < a.length; i++) {
    const next = [(i + 1) * moveCost];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + substitutionCost(a[i]!, b[j]!), row[j + 1]! + moveCost, next[j]! + moveCost));
    }
    row = next;
  }
  return row[b.length]!;
}
