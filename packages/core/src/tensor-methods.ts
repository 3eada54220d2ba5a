/**
 * torch's methods and attributes on tfjs's tensors (design §2.4). A call that is valid in tfjs keeps tfjs's meaning; one
 * that tfjs rejects, or whose further arguments it ignores, takes torch's.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assignGrad, backward, isLeaf, readGrad, requiresGrad, retainGrad, setRequiresGrad } from './autograd';
import { type Args, bind, isPlainObject, type Signature, signature } from './bind';
import { chainedOps } from './chained-ops';
import { type Dtype, resolveDtype } from './creation';
import type { WithData } from './data';
import { RuntimeError } from './errors';
import { fields } from './fields';
import { withGrad } from './grad-mode';
import { clamp, inPlaceMethods } from './in-place';
import { format } from './print';
import { SparseTensor } from './sparse';

export type Operand = tf.Tensor | number;

declare module '@tensorflow/tfjs-core/dist/tensor.js' {
  interface Tensor<R extends tf.Rank = tf.Rank> {
    /** Whether operations on this tensor are recorded for `backward()`. */
    requires_grad: boolean;
    /** The gradient accumulated by `backward()`; null until there is one. Same shape as the tensor. */
    get grad(): WithData | null;
    set grad(value: tf.Tensor | null);
    readonly is_leaf: boolean;
    /** Whether it is a `SparseTensor`, which keeps some rows only. */
    readonly is_sparse: boolean;
    to_dense(): tf.Tensor;
    /** The recorded operation that made it; null for a leaf. */
    readonly grad_fn: { readonly name: string } | null;
    readonly T: tf.Tensor;
    requires_grad_(requires_grad?: boolean): this;
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
    numel(): number;
    dim(): number;
    view(...shape: number[] | [readonly number[]]): tf.Tensor;
    reshape(...shape: number[]): tf.Tensor;
    permute(...dims: number[] | [readonly number[]]): tf.Tensor;
    transpose(dim0: number, dim1: number): tf.Tensor;
    t(): tf.Tensor;
    unsqueeze(dim: number): tf.Tensor;
    squeeze(dim: number): tf.Tensor;
    flatten(start_dim: number, end_dim?: number): tf.Tensor;
    expand(...sizes: number[]): tf.Tensor;
    contiguous(): tf.Tensor;
    add(x: Operand, options: { alpha?: number }): tf.Tensor;
    sub(x: Operand, options: { alpha?: number }): tf.Tensor;
    sum(dim: number | readonly number[] | null, options: { keepdim?: boolean }): tf.Tensor;
    mean(dim: number | readonly number[] | null, options: { keepdim?: boolean }): tf.Tensor;
    matmul(x: tf.Tensor): tf.Tensor;
    mm(x: tf.Tensor): tf.Tensor;
    eq(x: Operand): tf.Tensor;
    ne(x: Operand): tf.Tensor;
    gt(x: Operand): tf.Tensor;
    ge(x: Operand): tf.Tensor;
    lt(x: Operand): tf.Tensor;
    le(x: Operand): tf.Tensor;
    argmax(dim?: number | null, keepdim?: boolean): tf.Tensor;
    argmin(dim?: number | null, keepdim?: boolean): tf.Tensor;
    clamp(min?: number | null, max?: number | null): tf.Tensor;
    type_as(x: tf.Tensor): tf.Tensor;
    float(): tf.Tensor;
    int(): tf.Tensor;
    long(): tf.Tensor;
    bool(): tf.Tensor;
    /** A dtype converts; a device is accepted, tensors live on the tfjs backend in use. */
    to(target: Dtype | string | tf.Tensor | { type: string }): tf.Tensor;
    cpu(): tf.Tensor;
    cuda(): tf.Tensor;
    /** this += alpha · x */
    add_(x: Operand, options?: { alpha?: number }): this;
    add_(alpha: number, x: tf.Tensor): this;
    sub_(x: Operand, options?: { alpha?: number }): this;
    mul_(x: Operand): this;
    div_(x: Operand): this;
    pow_(x: Operand): this;
    addcmul_(t1: tf.Tensor, t2: tf.Tensor, options?: { value?: number }): this;
    addcdiv_(t1: tf.Tensor, t2: tf.Tensor, options?: { value?: number }): this;
    addcdiv_(value: number, t1: tf.Tensor, t2: tf.Tensor): this;
    lerp_(end: tf.Tensor, weight: Operand): this;
    neg_(): this;
    abs_(): this;
    sqrt_(): this;
    exp_(): this;
    clamp_(min?: number | null, max?: number | null): this;
    copy_(source: tf.Tensor): this;
    fill_(value: number): this;
    zero_(): this;
    normal_(mean?: number, std?: number, options?: { generator?: import('./generator').Generator }): this;
    uniform_(from?: number, to?: number, options?: { generator?: import('./generator').Generator }): this;
  }
}

// ---- views

/** Marks `t` as a view of `base`: what is written into it in place is written into the base as well. */
function viewOf(base: tf.Tensor, t: tf.Tensor): tf.Tensor {
  fields(t)._base = base;
  return t;
}

const sizes = (args: readonly (number | readonly number[])[]): number[] => args.flat() as number[];

/** Resolves a -1 in a shape as torch does. */
function inferShape(t: tf.Tensor, shape: readonly number[]): number[] {
  const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
  const inferred = shape.map((d) => (d === -1 ? t.size / known : d));
  if (shape.filter((d) => d === -1).length > 1) throw new RuntimeError('only one dimension can be inferred');
  if (!inferred.every(Number.isInteger) || inferred.reduce((n, d) => n * d, 1) !== t.size)
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
  const middle = t.shape.slice(s, e + 1).reduce((a, b) => a * b, 1);
  return view(t, [...t.shape.slice(0, s), middle, ...t.shape.slice(e + 1)]);
}

function transpose(t: tf.Tensor, dim0: number, dim1: number): tf.Tensor {
  const perm = t.shape.map((_, i) => i);
  const [a, b] = [dimension(dim0, t.rank), dimension(dim1, t.rank)];
  [perm[a], perm[b]] = [b, a];
  return tf.transpose(t, perm);
}

function arg(f: typeof tf.argMax, t: tf.Tensor, dim: number | null | undefined, keepdim = false): tf.Tensor {
  if (dim === undefined || dim === null) return tf.tidy(() => f(tf.reshape(t, [-1]), 0));
  const axis = dimension(dim, t.rank);
  return tf.tidy(() => (keepdim ? tf.expandDims(f(t, axis), axis) : f(t, axis)));
}

function item(t: tf.Tensor): number {
  if (t.size !== 1) throw new RuntimeError(`a Tensor with ${t.size} elements cannot be converted to Scalar`);
  return t.dataSync()[0]!;
}

// ---- methods that tfjs does not have

const backwardSignature: Signature<{
  gradient: tf.Tensor | null;
  retain_graph: boolean | null;
  create_graph: boolean;
}> = signature('Tensor.backward', 'gradient=None, retain_graph=None, create_graph=False');

const added: Record<string, (this: tf.Tensor, ...args: never[]) => unknown> = {
  requires_grad_(required = true) {
    setRequiresGrad(this, required);
    return this;
  },
  retain_grad() {
    retainGrad(this);
  },
  backward(...args: unknown[]) {
    const { gradient, retain_graph, create_graph } = bind(backwardSignature, args);
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
  view(...shape: number[]) {
    return view(this, sizes(shape));
  },
  permute(...dims: number[]) {
    return tf.transpose(
      this,
      sizes(dims).map((d) => dimension(d, this.rank)),
    );
  },
  t() {
    if (this.rank > 2) throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${this.rank}D`);
    return this.rank < 2 ? this : tf.transpose(this);
  },
  unsqueeze(dim: number) {
    return viewOf(this, tf.expandDims(this, dimension(dim, this.rank + 1)));
  },
  expand(...shape: number[]) {
    const lead = sizes(shape).length - this.rank;
    return tf.broadcastTo(
      this,
      sizes(shape).map((d, i) => (d === -1 ? this.shape[i - lead]! : d)),
    );
  },
  contiguous() {
    return this;
  },
  to_dense() {
    return this;
  },
  matmul(x: tf.Tensor) {
    return tf.matMul(this, x);
  },
  mm(x: tf.Tensor) {
    return tf.matMul(this, x);
  },
  eq(x: Operand) {
    return tf.equal(this, x);
  },
  ne(x: Operand) {
    return tf.notEqual(this, x);
  },
  gt(x: Operand) {
    return tf.greater(this, x);
  },
  ge(x: Operand) {
    return tf.greaterEqual(this, x);
  },
  lt(x: Operand) {
    return tf.less(this, x);
  },
  le(x: Operand) {
    return tf.lessEqual(this, x);
  },
  argmax(dim?: number | null, keepdim?: boolean) {
    return arg(tf.argMax, this, dim, keepdim);
  },
  argmin(dim?: number | null, keepdim?: boolean) {
    return arg(tf.argMin, this, dim, keepdim);
  },
  clamp(min: number | null = null, max: number | null = null) {
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
  to(target: string | tf.Tensor | { type: string }) {
    if (target instanceof tf.Tensor) return tf.cast(this, target.dtype as 'float32');
    const name = typeof target === 'string' ? target : target.type;
    return /^(cpu|cuda|mps)(:\d+)?$/.test(name) ? this : tf.cast(this, resolveDtype(name as Dtype));
  },
  cpu() {
    return this;
  },
  cuda() {
    return this;
  },
};

// ---- calls that tfjs rejects, or whose further arguments it ignores

type Overlay = (t: tf.Tensor, args: readonly unknown[], tfjs: () => unknown) => unknown;
const integers = (args: readonly unknown[]): args is number[] =>
  args.length > 0 && args.every((a) => typeof a === 'number');

const reduction =
  (op: (t: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor): Overlay =>
  (t, args, tfjs) => {
    const last = args[args.length - 1];
    if (!isPlainObject(last)) return tfjs();
    const { keepdim = false, dim = args.length > 1 ? args[0] : null } = last as { keepdim?: boolean; dim?: number };
    return op(t, (dim ?? undefined) as number | undefined, keepdim);
  };

const withAlpha =
  (op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Overlay =>
  (t, [x, options], tfjs) =>
    isPlainObject(options)
      ? tf.tidy(() => op(t, tf.mul(x as Operand, (options as { alpha?: number }).alpha ?? 1)))
      : tfjs();

const overlays: Record<string, Overlay> = {
  add: withAlpha(tf.add),
  sub: withAlpha(tf.sub),
  sum: reduction(tf.sum),
  mean: reduction(tf.mean),
  reshape: (t, args, tfjs) => (integers(args) ? view(t, args) : tfjs()),
  transpose: (t, args, tfjs) => (integers(args) && args.length === 2 ? transpose(t, args[0]!, args[1]!) : tfjs()),
  squeeze: (t, args, tfjs) => {
    if (!integers(args)) return tfjs();
    const d = dimension(args[0]!, t.rank);
    return t.shape[d] === 1 ? viewOf(t, tf.squeeze(t, [d])) : t;
  },
  flatten: (t, args, tfjs) => (integers(args) ? flatten(t, args[0]!, args[1] ?? -1) : tfjs()),
};

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
    const overlay = overlays[name];
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
  defineGetter<tf.Tensor | null>('grad', readGrad, assignGrad);
  defineGetter('is_leaf', isLeaf);
  defineGetter('is_sparse', (t) => t instanceof SparseTensor);
  defineGetter('grad_fn', (t) => (isLeaf(t) ? null : { name: `${fields(t)._node!.name}Backward0` }));
  defineGetter('T', (t) => tf.transpose(t));
  define('toString', function (this: tf.Tensor) {
    return format(this);
  });
  define(Symbol.toPrimitive as unknown as string, function (this: tf.Tensor, hint: string) {
    if (hint === 'string') return format(this);
    throw new TypeError(
      'A tensor in an arithmetic expression would become a string. Use loss.item() for a number, or x.add(y), x.mul(y) for tensors.',
    );
  });
}

registerTensorMethods();
