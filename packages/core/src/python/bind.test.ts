import { describe, expect, expectTypeOf, test } from 'vitest';
import { type Args, bind, signature, suggest } from './bind';

const sgd = signature('SGD.__init__', 'params, lr=0.001, momentum=0, *, maximize=False, fused=None');
const f = signature('f', 'a, b=1, *, c, d=2, e');
const three = signature('g', 'a, b, c');
const one = signature('h', 'x');
const none = signature('z', '');
const load = signature('Module.load_state_dict', 'state_dict: dict, strict=True');
const sized = signature('rand', '*size, generator=None');
const literals = signature(
  'l',
  "betas=(0.9, 0.999), nested=((1, 'a, b'), None), mode='min', text=\"(x\", eps=1e-08, big=1e6, flag=True, none=None, empty=(), single=(1,)",
);
const nothing = { lr: 0.001, momentum: 0, maximize: false, fused: null };
const params = [1];

test.each<[string, () => unknown, unknown]>([
  ['positional', () => bind(sgd, [params, 0.1, 0.9]), { ...nothing, params, lr: 0.1, momentum: 0.9 }],
  [
    'keywords at the end',
    () => bind(sgd, [params, 0.1, { fused: true }]),
    { ...nothing, params, lr: 0.1, fused: true },
  ],
  ['keywords alone', () => bind(sgd, [{ params, lr: 0.1 }]), { ...nothing, params, lr: 0.1 }],
  ['an empty options object', () => bind(sgd, [params, {}]), { ...nothing, params }],
  ['null is None, a value', () => bind(sgd, [params, null]), { ...nothing, params, lr: null }],
  [
    'undefined is not given',
    () => bind(sgd, [params, undefined, 0.9, { lr: undefined }]),
    { ...nothing, params, momentum: 0.9 },
  ],
  [
    'undefined by position, then by keyword',
    () => bind(sgd, [params, undefined, { lr: 1 }]),
    { ...nothing, params, lr: 1 },
  ],
  [
    'an object without prototype is keywords',
    () => bind(sgd, [params, Object.assign(Object.create(null), { lr: 1 })]),
    { ...nothing, params, lr: 1 },
  ],
  ['a class instance is a value', () => bind(one, [new Map()]), { x: new Map() }],
  ['an array is a value', () => bind(one, [[1]]), { x: [1] }],
  ['a dict parameter takes the object', () => bind(load, [{ lr: 1 }]), { state_dict: { lr: 1 }, strict: true }],
  [
    'keywords after a dict parameter',
    () => bind(load, [{ lr: 1 }, { strict: false }]),
    { state_dict: { lr: 1 }, strict: false },
  ],
  ['*size, one by one', () => bind(sized, [2, 3, { generator: 'g' }]), { size: [2, 3], generator: 'g' }],
  ['*size, none', () => bind(sized, []), { size: [], generator: null }],
  ['no parameters', () => bind(none, []), {}],
  ['no parameters, no keywords', () => bind(none, [{}]), {}],
  [
    'literals',
    () => bind(literals, []),
    {
      betas: [0.9, 0.999],
      nested: [[1, 'a, b'], null],
      mode: 'min',
      text: '(x',
      eps: 1e-8,
      big: 1e6,
      flag: true,
      none: null,
      empty: [],
      single: [1],
    },
  ],
])('%s', (_, call, expected) => expect(call()).toEqual(expected));

test('a default tuple is a fresh array in each call', () => {
  expect(bind(literals, []).betas).not.toBe(bind(literals, []).betas);
});

// The texts are what CPython 3.11 prints for the same functions; the suggestions are those of 3.13.
test.each<[() => unknown, string]>([
  [() => bind(f, []), "f() missing 1 required positional argument: 'a'"],
  [() => bind(f, [1]), "f() missing 2 required keyword-only arguments: 'c' and 'e'"],
  [() => bind(f, [1, 2, { c: 4 }]), "f() missing 1 required keyword-only argument: 'e'"],
  [() => bind(f, [1, 2, 3]), 'f() takes from 1 to 2 positional arguments but 3 were given'],
  [
    () => bind(f, [1, 2, 3, { c: 1 }]),
    'f() takes from 1 to 2 positional arguments but 3 positional arguments (and 1 keyword-only argument) were given',
  ],
  [
    () => bind(f, [1, 2, 3, { c: 1, d: 2, e: 4 }]),
    'f() takes from 1 to 2 positional arguments but 3 positional arguments (and 3 keyword-only arguments) were given',
  ],
  [() => bind(f, [1, { a: 2 }]), "f() got multiple values for argument 'a'"],
  [() => bind(f, [1, 2, 3, { zz: 1 }]), "f() got an unexpected keyword argument 'zz'"],
  [() => bind(three, []), "g() missing 3 required positional arguments: 'a', 'b', and 'c'"],
  [() => bind(three, [1]), "g() missing 2 required positional arguments: 'b' and 'c'"],
  [() => bind(three, [1, 2]), "g() missing 1 required positional argument: 'c'"],
  [() => bind(three, [1, { c: 3 }]), "g() missing 1 required positional argument: 'b'"],
  [() => bind(one, []), "h() missing 1 required positional argument: 'x'"],
  [() => bind(one, [undefined]), "h() missing 1 required positional argument: 'x'"],
  [() => bind(one, [1, 2]), 'h() takes 1 positional argument but 2 were given'],
  [() => bind(one, [1, { x: 2, y: 3 }]), "h() got multiple values for argument 'x'"],
  [() => bind(one, [1, { y: 3, x: 2 }]), "h() got an unexpected keyword argument 'y'"],
  [() => bind(none, [1]), 'z() takes 0 positional arguments but 1 was given'],
  [() => bind(none, [1, 2]), 'z() takes 0 positional arguments but 2 were given'],
  [() => bind(none, [{ a: 1 }]), "z() got an unexpected keyword argument 'a'"],
  [() => bind(sgd, []), "SGD.__init__() missing 1 required positional argument: 'params'"],
  [() => bind(sgd, [1, 2, 3, 4]), 'SGD.__init__() takes from 2 to 4 positional arguments but 5 were given'],
  [
    () => bind(sgd, [1, 2, 3, 4, { fused: true }]),
    'SGD.__init__() takes from 2 to 4 positional arguments but 5 positional arguments (and 1 keyword-only argument) were given',
  ],
  [() => bind(sgd, [1, 2, { lr: 2 }]), "SGD.__init__() got multiple values for argument 'lr'"],
  [() => bind(sgd, [1, { lrr: 2 }]), "SGD.__init__() got an unexpected keyword argument 'lrr'. Did you mean 'lr'?"],
  [
    () => bind(sgd, [1, { momemtum: 2 }]),
    "SGD.__init__() got an unexpected keyword argument 'momemtum'. Did you mean 'momentum'?",
  ],
  [() => bind(sgd, [1, { LR: 2 }]), "SGD.__init__() got an unexpected keyword argument 'LR'. Did you mean 'lr'?"],
  [() => bind(sgd, [1, { constructor: 2 }]), "SGD.__init__() got an unexpected keyword argument 'constructor'"],
  [() => bind(sized, [2, { size: 3 }]), "rand() got an unexpected keyword argument 'size'"],
])('error %#', (call, message) => {
  expect(call).toThrow(TypeError);
  expect(call).toThrow(new RegExp(`^${message.replace(/[.*+?^$()[\]]/g, '\\$&')}$`));
});

test.each([
  ['lrr', ['params', 'lr', 'momentum'], 'lr'],
  ['nestrov', ['momentum', 'nesterov'], 'nesterov'],
  ['foo', ['lr', 'momentum'], null],
  ['weight_decay', ['weightdecay', 'weight_decoy'], 'weightdecay'],
])('suggest %s from %j', (name, names, expected) => expect(suggest(name, names)).toBe(expected));

describe('a parameter list that cannot be read', () => {
  test.each(['a b', 'a=@', 'a=', '1'])('%s', (list) => expect(() => signature('f', list)).toThrow(SyntaxError));
});

test('Args is every prefix of the positionals, each perhaps with the options', () => {
  type Options = { lr?: number; fused?: boolean };
  type A = Args<[lr: number, name: string], Options>;
  const accepts = (...args: A) => args.length;
  expect([
    accepts(),
    accepts({ fused: true }),
    accepts(1),
    accepts(1, { lr: 2 }),
    accepts(1, 'a'),
    accepts(1, 'a', {}),
  ]).toEqual([0, 1, 1, 2, 2, 3]);
  expectTypeOf<A>().toEqualTypeOf<
    [options?: Options] | [lr: number, options?: Options] | [lr: number, name: string, options?: Options]
  >();
  // @ts-expect-error a misspelt option
  accepts({ fusd: true });
  // @ts-expect-error an option of the wrong type
  accepts(1, { lr: 'a' });
  // @ts-expect-error a positional of the wrong type
  accepts('a');
  // @ts-expect-error one too many
  accepts(1, 'a', {}, 2);
});
