import * as tf from '@tensorflow/tfjs-core';
import { bind, type Signature, signature } from '../python/bind';
import { pythonType } from '../python/python-type';

type Method = (this: tf.Tensor, ...args: never[]) => unknown;

const reduction = 'dim=None, keepdim=False, *, dtype=None';
const place = 'dim=None, keepdim=False';
const scaled = 'other, *, alpha=1';
const divided = 'other, *, rounding_mode=None';
const product = 'tensor1: Tensor, tensor2: Tensor, *, value=1';
const limits = 'min=None, max=None';
const sample = (list: string) => `${list}, *, generator=None`;

/** torch's signatures of the methods of a tensor; one that is not here takes no arguments. */
const table: Record<string, string> = {
  requires_grad_: 'requires_grad=True',
  backward: 'gradient=None, retain_graph=None, create_graph=False',
  transpose: 'dim0, dim1',
  unsqueeze: 'dim',
  squeeze: 'dim=None',
  flatten: 'start_dim=0, end_dim=-1',
  reshape: '*sizes, shape=None',
  view: '*sizes, size=None',
  expand: '*sizes, size=None',
  permute: '*sizes, dims=None',
  to: 'device=None, dtype=None, non_blocking=False, copy=False, *, other=None, memory_format=None',
  cuda: 'device=None, non_blocking=False, memory_format=None',
  add: scaled,
  sub: scaled,
  mul: 'other',
  div: divided,
  pow: 'exponent',
  maximum: 'other',
  minimum: 'other',
  matmul: 'other: Tensor',
  mm: 'mat2: Tensor',
  eq: 'other',
  ne: 'other',
  gt: 'other',
  ge: 'other',
  lt: 'other',
  le: 'other',
  sum: reduction,
  mean: reduction,
  prod: reduction,
  argmax: place,
  argmin: place,
  clamp: limits,
  type_as: 'other: Tensor',

  add_: scaled,
  sub_: scaled,
  mul_: 'other',
  div_: divided,
  pow_: 'exponent',
  addcmul_: product,
  addcdiv_: product,
  lerp_: 'end: Tensor, weight',
  clamp_: limits,
  copy_: 'src: Tensor, non_blocking=False',
  fill_: 'value',
  normal_: sample('mean=0, std=1'),
  uniform_: sample('from=0, to=1'),
};

/** @throws TypeError in torch's words, of what is no tensor */
function demandTensor(x: unknown, name: string, argument: string, position: number): void {
  if (!(x instanceof tf.Tensor))
    throw new TypeError(
      `${name}(): argument '${argument}' (position ${position}) must be Tensor, not ${pythonType(x)}`,
    );
}

/** torch's old form has the factor first: `add_(alpha, tensor)`, `addcmul_(value, t1, t2)`. Still in many scripts. */
function modernized(sig: Signature<unknown>, args: readonly unknown[]): readonly unknown[] {
  const factor = sig.parameters[sig.positional]?.name;
  if (factor !== 'alpha' && factor !== 'value') return args;
  const [value, ...tensors] = args;
  return typeof value === 'number' && tensors.every((x) => x instanceof tf.Tensor)
    ? [...tensors, { [factor]: value }]
    : args;
}

/** `f` with the arguments of torch's signature, in its order, as a method that takes them by position or by keyword. */
function torchMethod(name: string, f: Method): Method {
  const list = table[name] ?? '';
  // torch writes this one in Python, whose errors name the class; the others in C++.
  const sig = signature(name === 'backward' ? 'Tensor.backward' : name, list);
  const names = [...(sig.rest === null ? [] : [sig.rest]), ...sig.parameters.map((p) => p.name)];
  const tensors = sig.parameters.flatMap((p, i) =>
    list.includes(`${p.name}: Tensor`) ? [[p.name, i + 1] as const] : [],
  );
  return function (this: tf.Tensor, ...args: unknown[]) {
    const bound = bind(sig, args.length === sig.positional + 1 ? modernized(sig, args) : args);
    for (const [argument, position] of tensors) demandTensor(bound[argument], name, argument, position);
    return f.apply(this, names.map((n) => bound[n]) as never[]);
  };
}

/** Each of `methods` as {@link torchMethod}. */
export const torchMethods = (methods: Readonly<Record<string, Method>>): Record<string, Method> =>
  Object.fromEntries(Object.entries(methods).map(([name, f]) => [name, torchMethod(name, f)]));
