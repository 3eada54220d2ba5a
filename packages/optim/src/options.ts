import type { Tensor } from '@tensorflow/tfjs-core';
import { type Args, bind, KeyError, type Signature, signature } from '@tfjs-torch/core/base';
import type { Declaration, Kind } from './declaration';
import { getOrMake } from './get-or-make';
import type { ParamsInput } from './param-groups';
import { read } from './plain';
import { str } from './python-repr';

/** Options with every tensor read: what rules compute with. */
export type Host<O> = { [K in keyof O]: HostValue<O[K]> };
type HostValue<V> = V extends Tensor ? never : V extends readonly unknown[] ? { [I in keyof V]: HostValue<V[I]> } : V;

/** What an optimizer's constructor takes: `params`, then the first options by position, then the others by name. */
export type OptimizerArgs<Positional extends readonly unknown[], O extends object> =
  | [params: ParamsInput<O>, ...rest: Args<Positional, Partial<O> & Ours>]
  | [all: { params: ParamsInput<O> } & Partial<O> & Ours];

/** What the constructors take beyond torch's options; it is in no param group. */
export interface Ours {
  /** Warn at the first step in which no parameter has a gradient. @defaultValue false */
  diagnostics?: boolean;
}

const signatures = new WeakMap<object, Signature<Record<string, unknown>>>();

/** `SGD.__init__`'s parameter list, from the defaults. */
function signatureOf({ name, defaults, positional, forced }: Declaration) {
  const literal = (key: string) => `${key}=${str(defaults[key as never])}`;
  const settled = new Set([...positional, ...Object.keys(forced ?? {})]);
  const others = Object.keys(defaults).filter((key) => !settled.has(key as never));
  const all = ['params', ...positional.map(literal), '*', ...others.map(literal), 'diagnostics=False'];
  return signature(`${name}.__init__`, all.join(', '));
}

/** Binds a constructor's arguments to `params` and the options, defaults filled in, in the order of a param group. */
export function bindOptions<O extends object>(
  declaration: Declaration<Host<O>>,
  args: readonly unknown[],
): { params: ParamsInput<O>; options: O; diagnostics: boolean } {
  const bound = bind(
    getOrMake(signatures, declaration, () => signatureOf(declaration)),
    args,
  );
  const all = { ...bound, ...declaration.forced };
  const options = Object.fromEntries(Object.keys(declaration.defaults).map((key) => [key, all[key as never]]));
  return { params: bound.params as ParamsInput<O>, options: options as O, diagnostics: bound.diagnostics === true };
}

const kindOf = (value: unknown) =>
  (Array.isArray(value) ? 'tuple' : value === null ? 'flag' : typeof value) as 'tuple' | 'flag' | 'number' | 'boolean';
const kinds: Record<Kind, { is(value: unknown, like: unknown): boolean; said: string }> = {
  number: { is: (v) => typeof v === 'number', said: 'a number' },
  boolean: { is: (v) => typeof v === 'boolean', said: 'true or false' },
  // foreach, fused: true, false or null, which lets us choose.
  flag: { is: (v) => typeof v === 'boolean' || v === null, said: 'true, false or null' },
  'number or null': { is: (v) => typeof v === 'number' || v === null, said: 'a number or null' },
  'string or null': { is: (v) => typeof v === 'string' || v === null, said: 'a string or null' },
  tuple: {
    is: (v, like) =>
      Array.isArray(v) &&
      v.length === (like as unknown[]).length &&
      v.every((x, i) => typeof x === 'number' || (x === null && (like as unknown[])[i] === null)),
    said: 'an array of as many numbers as its default',
  },
};

const allKinds = new WeakMap<object, ReturnType<typeof kindsOf>>();
/** The options that a declaration has, in its order. */
const kindsOf = <O extends object>({ defaults, kinds: given }: Declaration<O>) =>
  Object.entries(defaults).map(([key, like]) => ({ key, like, kind: kinds[given?.[key as keyof O] ?? kindOf(like)] }));

/** Reads the options out of a param group: tensors as numbers. @throws KeyError for one that is not there, TypeError for a value of another kind */
export function hostOptions<O extends object>(declaration: Declaration<Host<O>>, group: Readonly<O>): Host<O> {
  const h: Record<string, unknown> = {};
  for (const { key, like, kind } of getOrMake(allKinds, declaration, () => kindsOf(declaration))) {
    const value = read(group[key as keyof O]);
    const { is, said } = kind;
    if (!is(value, like)) {
      if (!(key in group)) throw new KeyError(`'${key}'`);
      throw new TypeError(`${declaration.name}: ${key} must be ${said}, but got ${str(value)}`);
    }
    h[key] = value;
  }
  return h as Host<O>;
}
