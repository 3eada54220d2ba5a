/**
 * Memory without `dispose` (docs/memory.md).
 *
 * JavaScript tells nobody when a tensor is dropped, least of all in a synchronous loop. So time is cut into rounds, one
 * for each turn of a training loop; every kernel stamps what it reads and makes, and when a round ends, what no kernel
 * touched in the whole of it is swept. A swept tensor whose values are cheap to keep on the host is spilled: it comes
 * back when it is used again. The others fail with a message that says how to keep them.
 */
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '../python/errors';
import { countStorage, engine, type Scope } from '../tensor/engine';
import { fields, type Values } from '../tensor/fields';
import { hold, unhold } from '../tensor/finalizer';
import { listen } from '../tensor/rounds';
import { AccumulateGrad, freeUnreachable, graph, type Node, reachable } from './graph';
import { isPending, sourceOf } from './lazy';

/** Up to this many values, reading a tensor back costs less than a kernel call. */
const SMALL = 1024;
/** So many new tensors without the end of a round: a loop that has neither an optimizer nor a loader. */
const PRESSURE = 25_000;
/** So many new bytes without the end of a round. */
const PRESSURE_BYTES = 64 * 2 ** 20;

interface Tomb {
  tensor: tf.Tensor;
  values: Values | null;
}

/** By storage, not by handle: handles that share a dataId come back together. */
const tombs = new WeakMap<tf.DataId, Tomb>();
/** Storages some of whose handles were swept while others lived on: their values are kept when the last one goes. */
const shared = new WeakSet<tf.DataId>();

let root: Scope | undefined;
let round = 1;
let atLastSweep = 0;
let bytesAtLastRelief = 0;

/** Puts a scope under all others, so that what is made outside of any tidy is known. Idempotent. */
export function openRootScope(): void {
  if (root) return;
  const { state } = engine;
  root = { track: [], name: 'torch', id: state.nextScopeId++ };
  state.scopeStack.unshift(root);
  state.activeScope ??= root;
}

/** True once a Parameter or a tensor that requires a gradient exists; until then the engine is tfjs's alone. */
export const inTorch = (): boolean => root !== undefined;

export function touch(t: tf.Tensor): void {
  fields(t)._round = round;
}

/** Tracks a tensor as one of the loop's. */
export function adopt(t: tf.Tensor): void {
  touch(t);
  root?.track.push(t);
}

/** Remembers the values of a tensor made from host data that nobody else can change. */
export function fromHost(t: tf.Tensor, values: Values): void {
  fields(t)._host = values;
}

// ---- the sweep

const isPlain = (t: tf.Tensor) => !fields(t)._internal && (!fields(t)._node || isCopyOfLeaf(fields(t)._node!));

/** A leaf, or `p.clone()`: a copy of weights, whose graph nobody walks. */
const isCopyOfLeaf = (node: Node) =>
  node instanceof AccumulateGrad ||
  (node.name === 'Identity' && node.edges.every((edge) => edge.node instanceof AccumulateGrad));

const canRead = () => engine.backendName !== 'webgpu';

/** What a swept tensor would need to come back; null if it is not worth keeping. */
function valuesToKeep(t: tf.Tensor): Values | null {
  const f = fields(t);
  if (f._host) return f._host;
  if (t.dtype === 'string' || t.dtype === 'complex64') return null;
  if (f._internal) return null;
  if (!isPlain(t) && t.size > SMALL) return null;
  // Not the current backend: there may have been another when the tensor was made.
  return engine.state.tensorInfo.get(t.dataId)!.backend.readSync(t.dataId) as Values;
}

const nothing = () => {};

function sweepTensor(t: tf.Tensor): void {
  const { backend } = engine.state.tensorInfo.get(t.dataId)!;
  if (backend.refCount(t.dataId) > 1) {
    if (!fields(t)._internal) shared.add(t.dataId);
  } else {
    tombs.set(t.dataId, { tensor: t, values: valuesToKeep(t) });
  }
  engine.disposeTensor(t);
  // Its reference is given back already: a later dispose() by the user must not give back another's.
  t.dispose = nothing;
}

/** A point in the program's time: tensors and nodes are numbered as they are made. */
interface Moment {
  tensor: number;
  node: number;
}
const beginning: Moment = { tensor: 0, node: 0 };
const nextTensor = () => (engine.constructor as unknown as { nextTensorId: number }).nextTensorId;
const now = (): Moment => ({ tensor: nextTensor(), node: graph.next });

/** Ends a round: frees the graphs that nothing touched can reach, then what was not touched; nothing older than `since`. */
export function sweep(since: Moment = beginning): void {
  if (!root) return;
  // Sets, as a gradient that was replaced in the round that made it is tracked twice.
  const live = new Set<tf.Tensor>();
  const stale = new Set<tf.Tensor>();
  for (const t of root.track) {
    if (t.isDisposed || fields(t)._held) continue;
    if (t.id < since.tensor) {
      live.add(t);
      continue;
    }
    if (isPending(t)) {
      // Nothing is freed with it. It goes on watched for its graph; used again, it is computed and adopted.
      if ((fields(t)._round ?? round) >= round) live.add(t);
      else fields(t)._dropped = true;
      fields(t)._round ??= round;
      continue;
    }
    // tf.keep(t) is the user's word: not ours to free. It is watched only as long as it holds a graph.
    const node = fields(t)._node;
    if (t.kept && (!node || node.freed)) continue;
    if (!engine.state.tensorInfo.has(t.dataId)) continue;
    if (t.kept || (fields(t)._round ?? 0) >= round) live.add(t);
    else stale.add(t);
  }
  freeUnreachable(since.node, reachable(liveNodes(live)));
  for (const t of stale) {
    // A GPU that is read asynchronously cannot spill here; what a user may still hold goes to the collector.
    if (!canRead() && !fields(t)._internal && (isPlain(t) || t.size <= SMALL)) hold(t);
    else sweepTensor(t);
  }
  root.track = [...live];
  atLastSweep = live.size;
  bytesAtLastRelief = engine.state.numBytes;
  round++;
}

function* liveNodes(live: Iterable<tf.Tensor>) {
  for (const t of live) yield fields(t)._node;
  // Somebody steps inside a tidy of their own: its tensors are in use.
  for (const scope of engine.state.scopeStack) if (scope !== root) for (const t of scope.track) yield fields(t)._node;
}

/** Called when a scope opens: a loop that never ends a round has one ended for it now and then. */
export function relieve(): void {
  if (root && root.track.length > atLastSweep + PRESSURE && engine.state.activeScope === root) sweep();
}

/** An optimizer is built. Leaves what exists now to the garbage collector: it is set-up, not a loop's. */
function setUp(): void {
  if (!root) return;
  const kept: tf.Tensor[] = [];
  for (const t of root.track) {
    if (t.isDisposed || t.kept || isPending(t) || !engine.state.tensorInfo.has(t.dataId)) continue;
    if (isPlain(t)) hold(t);
    else kept.push(t);
  }
  root.track = kept;
}

// ---- coming back

/** Brings back a tensor that the sweep has taken to the host, for what does not go through a kernel. */
export function revive(t: tf.Tensor): void {
  if (!engine.state.tensorInfo.has(t.dataId)) restore(t.dataId);
}

/** Restores a spilled storage. False if it was never swept; throws if its values were not kept. */
export function restore(dataId: tf.DataId): boolean {
  const tomb = tombs.get(dataId);
  if (!tomb) return false;
  const { tensor: t, values } = tomb;
  if (!values) {
    throw new RuntimeError(
      `This tensor of shape [${t.shape}] was freed after a whole round of the loop in which nothing used it. ` +
        'Keep it with tf.keep(t), or take its values when you have it, with t.item() or t.dataSync() (docs/memory.md).',
    );
  }
  engine.backend.move(dataId, values, t.shape, t.dtype, 1);
  countStorage(t, dataId);
  tombs.delete(dataId);
  delete (t as Partial<tf.Tensor>).dispose;
  fromHost(t, values);
  adopt(t);
  return true;
}

/** Called when a storage is about to be given back: swept handles may still need its values. */
export function beforeDispose(t: Pick<tf.Tensor, 'dataId' | 'size' | 'dtype'>): void {
  if (!shared.has(t.dataId)) return;
  const info = engine.state.tensorInfo.get(t.dataId);
  if (!info || info.backend.refCount(t.dataId) > 1 || !canRead()) return;
  shared.delete(t.dataId);
  const tensor = new tf.Tensor(info.shape, t.dtype, t.dataId, engine.nextTensorId());
  tombs.set(t.dataId, { tensor, values: info.backend.readSync(t.dataId) as Values });
}

// ---- where rounds end

let stepped = new WeakSet<object>();
/** The steps of all optimizers, and how many there were at the last batch. */
let steps = 0;
let stepsAtBatch = 0;

/** An optimizer has stepped. A round ends when one that has stepped in it steps again: GANs have several. */
function optimizerRound(optimizer: object): void {
  if (!root) return;
  if (stepped.has(optimizer)) {
    stepped = new WeakSet();
    sweep();
  }
  stepped.add(optimizer);
  steps++;
}

let delivered = new WeakSet<object>();
const begun = new WeakMap<object, Moment & { steps: number }>();

/**
 * A loader delivers a batch, the `first` of an iteration or a later one. If no optimizer has stepped since the last, and
 * it has delivered in this round already (two may be read side by side), the round ends: for what was made since the
 * loop began. What is older may be needed after it, as a loss is that was computed before an evaluation.
 */
export function loaderRound(loader: object, first: boolean): void {
  if (!root) return;
  const start = begun.get(loader);
  if (!start || (first && start.steps !== steps)) begun.set(loader, { ...now(), steps });
  else if (delivered.has(loader) && steps === stepsAtBatch) {
    delivered = new WeakSet();
    sweep(start);
  }
  delivered.add(loader);
  stepsAtBatch = steps;
}

let depth = 0;

/** Runs a module's forward; what it makes and does not return is known to nobody outside. */
export function moduleCall<T>(f: () => T): T {
  if (depth > 0 || !root || engine.state.activeScope !== root) return f();
  const start = root.track.length;
  const firstId = nextTensor();
  depth++;
  let result: T;
  try {
    result = f();
  } finally {
    depth--;
  }
  const returned = tensorsIn(result);
  for (const t of [...returned]) {
    const source = isPending(t) ? sourceOf(t) : undefined;
    if (source) returned.add(source);
  }
  for (let i = start; i < root.track.length; i++) {
    const t = root.track[i]!;
    // An older one was only brought back in the call: somebody outside holds it.
    if (t.id >= firstId && !returned.has(t) && !shown.has(t)) fields(t)._internal = true;
  }
  relieveUnrecorded();
  return result;
}

function tensorsIn(x: unknown): Set<tf.Tensor> {
  const content = x instanceof Map ? [...x.values()] : x;
  return new Set(tf.tensor_util.getTensorsInContainer(content as tf.TensorContainer));
}

/** Tensors made inside a module's call that a user's code has had in its hands. */
const shown = new WeakSet<tf.Tensor>();

/** Runs a user's code, a hook say, inside a module's call: what it is given and what it makes may be put aside. */
export function userCode<T>(given: unknown, f: () => T): T {
  if (!root) return f();
  for (const t of tensorsIn(given)) shown.add(t);
  const start = root.track.length;
  const result = f();
  for (let i = start; i < root.track.length; i++) shown.add(root.track[i]!);
  return result;
}

/** A module takes a tensor as its buffer: it stays until it is replaced, or until nobody holds the module. */
export function own(t: tf.Tensor): void {
  if (root && !(t instanceof tf.Variable) && !t.kept && !fields(t)._held && !isPending(t)) hold(t);
}

/** A buffer is replaced: the tensor is the loop's again. */
export function disown(t: tf.Tensor): void {
  if (t instanceof tf.Variable || t.isDisposed || !fields(t)._held) return;
  unhold(t);
  adopt(t);
}

/**
 * In a loop without rounds (inference), the layers' results of some 25,000 tensors may be gigabytes. What a module made
 * without a graph and did not return cannot be used by anyone, so it need not wait for a round.
 */
function relieveUnrecorded(): void {
  if (!root || engine.state.numBytes < bytesAtLastRelief + PRESSURE_BYTES) return;
  const kept: tf.Tensor[] = [];
  for (const t of root.track) {
    const { _internal, _node, _held } = fields(t);
    const free = _internal && !_node && !_held && !t.kept && !t.isDisposed && !isPending(t);
    if (free && engine.state.tensorInfo.has(t.dataId)) sweepTensor(t);
    else kept.push(t);
  }
  root.track = kept;
  bytesAtLastRelief = engine.state.numBytes;
}

/**
 * A round for a loop that has neither an optimizer's step nor a loader: everything that `f` makes and does not return
 * is freed, graph included. Synchronous; the same as tf.tidy, under a name that says what it is for.
 */
export const scope = <T extends tf.TensorContainer>(f: () => T): T => tf.tidy(f);

/** A tidy of the user's ends: frees the graphs made in it (from node `first` on) that nothing outside can walk. */
export function endTidy(first: number, tracked: readonly tf.Tensor[], result: tf.TensorContainer): void {
  const outlive = [...tf.tensor_util.getTensorsInContainer(result), ...tracked.filter((t) => t.kept)];
  freeUnreachable(first, reachable(outlive.map((t) => fields(t)._node)));
}

listen({ optimizerRound, setUp, touch });
