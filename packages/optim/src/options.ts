import { Tensor } from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { getOrMake } from './get-or-make';
import type { ParamsInput } from './param-groups';
import { str } from './python-repr';
import type { AnyRule } from './rule/rule';

/** Options with every tensor read: what rules compute with. */
export type Host<O> = { [K in keyof O]: HostValue<O[K]> };
type HostValue<V> = V extends Tensor ? never : V extends readonly unknown[] ? { [I in keyof V]: HostValue<V[I]> } : V;

/** What an optimizer's constructor takes: `params`, then the first options by position, then the others by name. */
export type OptimizerArgs<Positional extends readonly unknown[], O extends object> =
  | [params: ParamsInput<O>, ...rest: Args<Positional, Partial<O>>]
  | [all: { params: ParamsInput<O> } & Partial<O>];

const signatures = new WeakMap<object, Signature<Record<string, unknown>>>();

/** `SGD.__init__`'s parameter list, from the rule's defaults. */
function signatureOf({ name, defaults, positional, forced }: AnyRule) {
  const literal = (key: string) => `${key}=${str(defaults[key as never])}`;
  const settled = new Set([...positional, ...Object.keys(forced ?? {})]);
  const others = Object.keys(defaults).filter((key) => !settled.has(key as never));
  return signature(`${name}.__init__`, ['params', ...positional.map(literal), '*', ...others.map(literal)].join(', '));
}

/** Binds a constructor's arguments to `params` and the options, defaults filled in, in the order of a param group. */
export function bindOptions<O extends object>(
  rule: AnyRule<Host<O>>,
  args: readonly unknown[],
): { params: ParamsInput<O>; options: O } {
  const bound = bind(
    getOrMake(signatures, rule, () => signatureOf(rule)),
    args,
  );
  const all = { ...bound, ...rule.forced };
  const options = Object.fromEntries(Object.keys(rule.defaults).map((key) => [key, all[key as never]]));
  return { params: bound.params as ParamsInput<O>, options: options as O };
}

const kind = (value: unknown) => (Array.isArray(value) ? 'tuple' : value === null ? 'flag' : typeof value);
const wanted: Record<string, (value: unknown, like: unknown) => boolean> = {
  number: (v) => typeof v === 'number',
  boolean: (v) => typeof v === 'boolean',
  // foreach, fused: true, false or null, which lets us choose.
  flag: (v) => typeof v === 'boolean' || v === null,
  tuple: (v, like) =>
    Array.isArray(v) && v.length === (like as unknown[]).length && v.every((x) => typeof x === 'number'),
};
const said: Record<string, string> = {
  number: 'a number',
  boolean: 'true or false',
  flag: 'true, false or null',
  tuple: 'an array of as many numbers as its default',
};

const hostValue = (value: unknown): unknown =>
  value instanceof Tensor ? value.dataSync()[0] : Array.isArray(value) ? value.map(hostValue) : value;

/** Reads the options of a rule out of a param group: tensors as numbers. @throws TypeError for a value of another kind. */
export function hostOptions<O extends object>(rule: AnyRule<Host<O>>, group: Readonly<O>): Host<O> {
  const h: Record<string, unknown> = {};
  for (const [key, like] of Object.entries(rule.defaults)) {
    const value = hostValue(group[key as keyof O]);
    if (!wanted[kind(like)]!(value, like)) {
      throw new TypeError(`${rule.name}: ${key} must be ${said[kind(like)]}, but got ${str(value)}`);
    }
    h[key] = value;
  }
  return h as Host<O>;
}
