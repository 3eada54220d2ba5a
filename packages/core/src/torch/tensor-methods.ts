/**
 * torch's methods and attributes on tfjs's tensors. A call that is valid in tfjs keeps tfjs's meaning; one that tfjs
 * rejects, or whose further arguments it ignores, takes torch's.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Args, isPlainObject } from '../python/bind';
import { RuntimeError } from '../python/errors';
import { backward, isLeaf, retainGrad, setRequiresGrad } from '../tape/autograd';
import { fields, isSparse } from '../tensor/fields';
import { requiresGrad } from '../tensor/grad';
import { withGrad } from '../tensor/grad-mode';
import { chainedOps } from './chained-ops';
import { type Dtype, resolveDtype } from './creation';
import type { Device } from './device';
import type { Generator } from './generator';
import { clamp, divide, inPlaceMethods, scaled } from './in-place';
import { format, inspect } from './print';
import { broadcasting, matmul, type Operand } from './shape-errors';
import { torchMethods } from './signatures';

type Dim = number | readonly number[] | null;
type RoundingMode = 'floor' | 'trunc' | null;
type ReduceOptions = { dim?: Dim; keepdim?: boolean; dtype?: Dtype | null };
/** With keywords: without, it is tfjs's call. */
type ReduceArgs = [options: ReduceOptions] | [dim: Dim, options: ReduceOptions];
type LimitArgs = Args<[min: number | null, max: number | null], { min?: number | null; max?: number | null }>;

declare module '@tensorflow/tfjs-core/dist/tensor.js' {
  interface Tensor<R extends tf.Rank = tf.Rank> {
    /** Whether operations on this tensor are recorded for `backward()`. */
    requires_grad: boolean;
    readonly is_leaf: boolean;
    /** Whether it is a `SparseTensor`, which keeps some rows only. */
    readonly is_sparse: boolean;
    to_dense(): tf.Tensor;
    /** The recorded operation that made it; null for a leaf. */
    readonly grad_fn: { readonly name: string } | null;
    readonly T: tf.Tensor;
    requires_grad_(...args: Args<[requires_grad: boolean], { requires_grad?: boolean }>): this;
    /** Keep `.grad` of this tensor in `backward()` though it is not a leaf. */
    retain_grad(): void;
    /**
     * Adds the gradient of this tensor with respect to the graph's leaves to their `.grad`, and frees the graph.
     * @param gradient of the same shape; may be left out for a scalar
     */
    backward(
      ...args: Args<
        [gradient: tf.Tensor | null, retain_graph: boolean | null, create_graph: boolean],
        { gradient?: tf.Tensor | null; retain_graph?: boolean | null; create_graph?: boolean }
      >
    ): void;
    /** The same storage without history. */
    detach(): tf.Tensor;
    detach_(): this;
    /** The value of a tensor of one element. */
    item(): number;
    tolist(): unknown;
    /** What JSON.stringify writes: nested lists, as `tolist()`. `torch.tensor(list)` reads them. */
    toJSON(): unknown;
    numel(): number;
    dim(): number;
    /** Shares the storage: what is written into a view in place reaches its base, but not the other way round. */
    view(...shape: number[] | [readonly number[]] | [{ size: readonly number[] }]): tf.Tensor;
    reshape(...shape: number[] | [{ shape: readonly number[] }]): tf.Tensor;
    permute(...dims: number[] | [readonly number[]] | [{ dims: readonly number[] }]): tf.Tensor;
    transpose(...args: [dim0: number, dim1: number] | [{ dim0: number; dim1: number }]): tf.Tensor;
    t(): tf.Tensor;
    unsqueeze(...args: [dim: number] | [{ dim: number }]): tf.Tensor;
    squeeze(...args: [dim: number] | [{ dim: number | null }]): tf.Tensor;
    flatten(...args: Args<[start_dim: number, end_dim: number], { start_dim?: number; end_dim?: number }>): tf.Tensor;
    expand(...sizes: number[] | [readonly number[]] | [{ size: readonly number[] }]): tf.Tensor;
    contiguous(): tf.Tensor;
    add(x: Operand, options: { alpha?: number }): tf.Tensor;
    sub(x: Operand, options: { alpha?: number }): tf.Tensor;
    div(x: Operand, options: { rounding_mode?: RoundingMode }): tf.Tensor;
    sum(...args: ReduceArgs): tf.Tensor;
    mean(...args: ReduceArgs): tf.Tensor;
    prod(...args: ReduceArgs): tf.Tensor;
    matmul(x: tf.Tensor): tf.Tensor;
    mm(x: tf.Tensor): tf.Tensor;
    eq(x: Operand): tf.Tensor;
    ne(x: Operand): tf.Tensor;
    gt(x: Operand): tf.Tensor;
    ge(x: Operand): tf.Tensor;
    lt(x: Operand): tf.Tensor;
    le(x: Operand): tf.Tensor;
    argmax(
      ...args: Args<[dim: number | null, keepdim: boolean], { dim?: number | null; keepdim?: boolean }>
    ): tf.Tensor;
    argmin(
      ...args: Args<[dim: number | null, keepdim: boolean], { dim?: number | null; keepdim?: boolean }>
    ): tf.Tensor;
    clamp(...args: LimitArgs): tf.Tensor;
    type_as(x: tf.Tensor): tf.Tensor;
    float(): tf.Tensor;
    int(): tf.Tensor;
    long(): tf.Tensor;
    bool(): tf.Tensor;
    /** A dtype converts; a device is accepted, tensors live on the tfjs backend in use. */
    to(
      ...args: Args<
        [target: Dtype | string | tf.Tensor | Device | null, dtype: Dtype | boolean | null],
        {
          device?: Device | string | null;
          dtype?: Dtype | null;
          other?: tf.Tensor;
          non_blocking?: boolean;
          copy?: boolean;
        }
      >
    ): tf.Tensor;
    cpu(): tf.Tensor;
    cuda(
      ...args: Args<[device: Device | string | number | null, non_blocking: boolean], { non_blocking?: boolean }>
    ): tf.Tensor;
    /** this += alpha · x */
    add_(x: Operand, options?: { alpha?: number }): this;
    add_(alpha: number, x: tf.Tensor): this;
    sub_(x: Operand, options?: { alpha?: number }): this;
    sub_(alpha: number, x: tf.Tensor): this;
    mul_(x: Operand): this;
    div_(x: Operand, options?: { rounding_mode?: RoundingMode }): this;
    pow_(x: Operand): this;
    addcmul_(t1: tf.Tensor, t2: tf.Tensor, options?: { value?: number }): this;
    addcmul_(value: number, t1: tf.Tensor, t2: tf.Tensor): this;
    addcdiv_(t1: tf.Tensor, t2: tf.Tensor, options?: { value?: number }): this;
    addcdiv_(value: number, t1: tf.Tensor, t2: tf.Tensor): this;
    lerp_(...args: [end: tf.Tensor, weight: Operand] | [end: tf.Tensor, { weight: Operand }]): this;
    neg_(): this;
    abs_(): this;
    sqrt_(): this;
    exp_(): this;
    clamp_(...args: LimitArgs): this;
    copy_(source: tf.Tensor, ...args: Args<[non_blocking: boolean], { non_blocking?: boolean }>): this;
    fill_(value: number | { value: number }): this;
    zero_(): this;
    normal_(
      ...args: Args<[mean: number, std: number], { mean?: number; std?: number; generator?: Generator | null }>
    ): this;
    uniform_(
      ...args: Args<[from: number, to: number], { from?: number; to?: number; generator?: Generator | null }>
    ): this;
  }
}

// ---- views

/** Marks `t` as a view of `base`: what is written into it in place is written into the base as well. */
function viewOf(base: tf.Tensor, t: tf.Tensor): tf.Tensor {
  fields(t)._base = base;
  return t;
}

/** The sizes of `view(2, 3)`, `view([2, 3])` or `view({ size: [2, 3] })`. */
const sizes = (args: readonly (number | readonly number[])[], keyword: readonly number[] | null): number[] =>
  keyword ? [...keyword] : (args.flat() as number[]);

/** Resolves a -1 in a shape as torch does. */
function inferShape(t: tf.Tensor, shape: readonly number[]): number[] {
  const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
  const inferred = shape.map((d) => (d === -1 ? t.size / known : d));
  if (shape.filter((d) => d === -1).length > 1) throw new RuntimeError('only one dimension can be inferred');
  if (!inferred.every(Number.isInteger) || tf.util.sizeFromShape(inferred) !== t.size)
    throw new RuntimeError(`shape '[${shape.join(', ')}]' is invalid for input of size ${t.size}`);
  return inferred;
}

/** A dimension from -n to n-1, counted from the front. */
export function dimension(d: number, n: number): number {
  if (!Number.isInteger(d) || d < -n || d >= n)
    throw new RangeError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${d})`);
  return d < 0 ? d + n : d;
}

export function detach(t: tf.Tensor): tf.Tensor {
  return viewOf(
    t,
    withGrad(false, () => tf.clone(t)),
  );
}

const view = (t: tf.Tensor, shape: readonly number[]) => viewOf(t, tf.reshape(t, inferShape(t, shape)));

function flatten(t: tf.Tensor, start: number, end: number): tf.Tensor {
  const n = Math.max(t.rank, 1);
  const [s, e] = [dimension(start, n), dimension(end, n)];
  if (s > e) throw new RuntimeError('flatten() has invalid args: start_dim cannot come after end_dim');
  if (t.rank === 0) return view(t, [1]);
  const middle = tf.util.sizeFromShape(t.shape.slice(s, e + 1));
  return view(t, [...t.shape.slice(0, s), middle, ...t.shape.slice(e + 1)]);
}

function transpose(t: tf.Tensor, dim0: number, dim1: number): tf.Tensor {
  const perm = t.shape.map((_, i) => i);
  const [a, b] = [dimension(dim0, t.rank), dimension(dim1, t.rank)];
  [perm[a], perm[b]] = [b, a];
  return permute(t, perm);
}

/** A view with other order of the dimensions. tfjs's own `slice`, `gather` and `transpose([…])` give copies. */
function permute(t: tf.Tensor, dims: readonly number[]): tf.Tensor {
  const perm = dims.map((d) => dimension(d, t.rank));
  const result = viewOf(t, tf.transpose(t, perm));
  fields(result)._wayBack = perm.map((_, i) => perm.indexOf(i));
  return result;
}

function squeeze(t: tf.Tensor, dim: number | null): tf.Tensor {
  if (dim === null) return viewOf(t, tf.squeeze(t));
  const d = dimension(dim, t.rank);
  return t.shape[d] === 1 ? viewOf(t, tf.squeeze(t, [d])) : t;
}

function arg(f: typeof tf.argMax, t: tf.Tensor, dim: number | null, keepdim: boolean): tf.Tensor {
  if (dim === null) return tf.tidy(() => f(tf.reshape(t, [-1]), 0));
  const axis = dimension(dim, t.rank);
  return tf.tidy(() => (keepdim ? tf.expandDims(f(t, axis), axis) : f(t, axis)));
}

function item(t: tf.Tensor): number {
  if (t.size !== 1) throw new RuntimeError(`a Tensor with ${t.size} elements cannot be converted to Scalar`);
  return t.dataSync()[0]!;
}

// ---- methods that tfjs does not have

/** `(dtype)`, `(device)`, `(device, dtype)` or `(other)`. */
function to(t: tf.Tensor, target: unknown, dtype: unknown, other: tf.Tensor | null): tf.Tensor {
  const like = other ?? (target instanceof tf.Tensor ? target : null);
  if (like) return tf.cast(t, like.dtype as 'float32');
  const moves = target === null || /^(cpu|cuda|mps)(:\d+)?$/.test(String(target));
  // After a dtype stands non_blocking.
  const wanted = moves ? dtype : target;
  return typeof wanted === 'string' ? tf.cast(t, resolveDtype(wanted as Dtype)) : t;
}

/** By name, with the arguments in the order of torch's signature. */
const added = torchMethods({
  requires_grad_(required: boolean) {
    setRequiresGrad(this, required);
    return this;
  },
  retain_grad() {
    retainGrad(this);
  },
  backward(gradient: tf.Tensor | null, retain_graph: boolean | null, create_graph: boolean) {
    backward([this], [gradient], { retain_graph: retain_graph ?? create_graph, create_graph });
  },
  detach() {
    return detach(this);
  },
  detach_() {
    fields(this)._node = undefined;
    return this;
  },
  item() {
    return item(this);
  },
  tolist() {
    return this.arraySync();
  },
  numel() {
    return this.size;
  },
  dim() {
    return this.rank;
  },
  view(shape: number[], size: number[] | null) {
    return view(this, sizes(shape, size));
  },
  permute(shape: number[], dims: number[] | null) {
    return permute(this, sizes(shape, dims));
  },
  t() {
    if (this.rank > 2) throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${this.rank}D`);
    return this.rank < 2 ? this : permute(this, [1, 0]);
  },
  unsqueeze(dim: number) {
    return viewOf(this, tf.expandDims(this, dimension(dim, this.rank + 1)));
  },
  expand(shape: number[], size: number[] | null) {
    const wanted = sizes(shape, size);
    const lead = wanted.length - this.rank;
    return tf.broadcastTo(
      this,
      wanted.map((d, i) => (d === -1 ? this.shape[i - lead]! : d)),
    );
  },
  contiguous() {
    return this;
  },
  to_dense() {
    return this;
  },
  matmul(x: tf.Tensor) {
    return matmul(this, x);
  },
  mm(x: tf.Tensor) {
    return matmul(this, x);
  },
  eq(x: Operand) {
    return broadcasting(this, x, () => tf.equal(this, x));
  },
  ne(x: Operand) {
    return broadcasting(this, x, () => tf.notEqual(this, x));
  },
  gt(x: Operand) {
    return broadcasting(this, x, () => tf.greater(this, x));
  },
  ge(x: Operand) {
    return broadcasting(this, x, () => tf.greaterEqual(this, x));
  },
  lt(x: Operand) {
    return broadcasting(this, x, () => tf.less(this, x));
  },
  le(x: Operand) {
    return broadcasting(this, x, () => tf.lessEqual(this, x));
  },
  argmax(dim: number | null, keepdim: boolean) {
    return arg(tf.argMax, this, dim, keepdim);
  },
  argmin(dim: number | null, keepdim: boolean) {
    return arg(tf.argMin, this, dim, keepdim);
  },
  clamp(min: number | null, max: number | null) {
    return tf.tidy(() => clamp(this, min, max));
  },
  type_as(x: tf.Tensor) {
    return tf.cast(this, x.dtype as 'float32');
  },
  float() {
    return tf.cast(this, 'float32');
  },
  int() {
    return tf.cast(this, 'int32');
  },
  long() {
    return tf.cast(this, 'int32');
  },
  bool() {
    return tf.cast(this, 'bool');
  },
  to(device: unknown, dtype: unknown, _non_blocking: boolean, _copy: boolean, other: tf.Tensor | null) {
    return to(this, device, dtype, other);
  },
  cpu() {
    return this;
  },
  cuda() {
    return this;
  },
});

// A device is a plain object, as keywords are.
for (const name of ['to', 'cuda']) {
  const method = added[name]!;
  added[name] = function (...args: unknown[]) {
    const names = args.map((a) => (isPlainObject(a) && typeof a.type === 'string' ? a.type : a));
    return method.apply(this, names as never[]);
  };
}

// ---- calls that tfjs rejects, or whose further arguments it ignores

const integers = (args: readonly unknown[]): args is number[] =>
  args.length > 0 && args.every((a) => typeof a === 'number');

const reduction = (op: (t: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor) =>
  function (this: tf.Tensor, dim: number | number[] | null, keepdim: boolean, dtype: Dtype | null) {
    return tf.tidy(() => op(dtype === null ? this : tf.cast(this, resolveDtype(dtype)), dim ?? undefined, keepdim));
  };

const withAlpha = (op: (a: tf.Tensor, b: Operand) => tf.Tensor) =>
  function (this: tf.Tensor, x: Operand, alpha: number) {
    return broadcasting(this, x, () => tf.tidy(() => op(this, scaled(x, alpha))));
  };

const binary = (op: (a: tf.Tensor, b: Operand) => tf.Tensor) =>
  function (this: tf.Tensor, x: Operand) {
    return broadcasting(this, x, () => op(this, x));
  };

/** torch's methods under names that tfjs has too. */
const torchs = torchMethods({
  add: withAlpha(tf.add),
  sub: withAlpha(tf.sub),
  mul: binary(tf.mul),
  div(x: Operand, rounding_mode: string | null) {
    return broadcasting(this, x, () => divide(this, x, rounding_mode));
  },
  pow: binary(tf.pow),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  sum: reduction(tf.sum),
  mean: reduction(tf.mean),
  prod: reduction(tf.prod),
  reshape(sizes_: number[], shape: number[] | null) {
    return view(this, sizes(sizes_, shape));
  },
  transpose(dim0: number, dim1: number) {
    return transpose(this, dim0, dim1);
  },
  squeeze(dim: number | null) {
    return squeeze(this, dim);
  },
  flatten(start_dim: number, end_dim: number) {
    return flatten(this, start_dim, end_dim);
  },
});

/** Methods that are tfjs's alone, as torch's have another result; what takes torch's keywords instead. */
const tfjsAlone: Record<string, string> = {
  max: 'torch.max(x, dim), which gives [values, indices]',
  min: 'torch.min(x, dim), which gives [values, indices]',
  split: 'torch.split(x, size, dim)',
  softmax: 'nn.functional.softmax(x, dim)',
  ...Object.fromEntries(['all', 'any', 'norm', 'cumsum', 'cumprod', 'topk'].map((name) => [name, `tf.${name}(x, …)`])),
};

const oneOperand = new Set(['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum']);

/** What is torch's call though it has no keywords. */
const isTorchs: Record<string, (args: readonly unknown[]) => boolean> = {
  reshape: integers,
  transpose: (args) => integers(args) && args.length === 2,
  squeeze: integers,
  flatten: (args) => args.length > 0,
};
for (const name of oneOperand) isTorchs[name] = (args) => args.length > 1;

type Overlay = (t: tf.Tensor, args: readonly unknown[], tfjs: () => unknown) => unknown;

function overlayOf(name: string): Overlay | null {
  const method = torchs[name];
  const instead = tfjsAlone[name];
  if (instead)
    return (_, args, tfjs) => {
      if (isPlainObject(args.at(-1)))
        throw new TypeError(`${name}() of a tensor is tfjs's and takes no keywords: use ${instead}`);
      return tfjs();
    };
  if (!method) return null;
  return (t, args, tfjs) => {
    if (isPlainObject(args.at(-1)) || isTorchs[name]?.(args)) return method.apply(t, args as never[]);
    return oneOperand.has(name) ? broadcasting(t, args[0] as Operand, tfjs) : tfjs();
  };
}

// ---- registration

function registerTensorMethods(): void {
  const prototype = tf.Tensor.prototype as tf.Tensor & Record<string, unknown>;
  const define = (name: string, value: unknown) =>
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  const defineGetter = <T>(name: string, get: (t: tf.Tensor) => T, set?: (t: tf.Tensor, value: T) => void) =>
    Object.defineProperty(prototype, name, {
      get(this: tf.Tensor) {
        return get(this);
      },
      set: set
        ? function (this: tf.Tensor, value: T) {
            set(this, value);
          }
        : undefined,
      configurable: true,
    });

  for (const [name, method] of chainedOps) {
    const overlay = overlayOf(name);
    // tfjs-layers registers its own copies when it is loaded, perhaps after us: they become the base of ours.
    let base: Function = prototype[name] ? (prototype[name] as Function) : method;
    const ours = overlay
      ? function (this: tf.Tensor, ...args: unknown[]) {
          return overlay(this, args, () => base.apply(this, args));
        }
      : null;
    Object.defineProperty(prototype, name, {
      get: () => ours ?? base,
      set: (value: Function) => {
        base = value;
      },
      configurable: true,
    });
  }
  for (const [name, method] of Object.entries({ ...added, ...inPlaceMethods })) define(name, method);

  defineGetter('requires_grad', requiresGrad, setRequiresGrad);
  defineGetter('is_leaf', isLeaf);
  defineGetter('is_sparse', isSparse);
  defineGetter('grad_fn', (t) => (isLeaf(t) ? null : { name: `${fields(t)._node!.name}Backward0` }));
  defineGetter('T', (t) =>
    permute(
      t,
      t.shape.map((_, i) => t.rank - 1 - i),
    ),
  );
  define('toString', function (this: tf.Tensor) {
    return format(this);
  });
  // What console.log shows in Node.
  define(Symbol.for('nodejs.util.inspect.custom') as unknown as string, function (this: tf.Tensor) {
    return inspect(this);
  });
  define('toJSON', function (this: tf.Tensor) {
    return this.arraySync();
  });
  define(Symbol.toPrimitive as unknown as string, function (this: tf.Tensor, hint: string) {
    if (hint === 'string') return format(this);
    throw new TypeError(
      'A tensor in an arithmetic expression would become a string. Use loss.item() for a number, or x.add(y), x.mul(y) for tensors.',
    );
  });
}

registerTensorMethods();
