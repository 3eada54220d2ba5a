import * as tf from '@tensorflow/tfjs-core';
import { NotImplementedError } from '../python/errors';
import { engine, type GradientFunction, type Gradients, type Inputs } from '../tensor/engine';
import { fields } from '../tensor/fields';
import { ownGradients } from './gradients';

/** An input that needs a gradient: its name in the kernel's call, the node that made it, and as which output. */
interface Edge {
  readonly name: string;
  readonly node: Node;
  readonly output: number;
}

/** Every node whose graph is still there, oldest first (the sweep drops what it frees), and the next node's id. */
export const graph: { nodes: Node[]; next: number } = { nodes: [], next: 0 };

type Shape = Pick<tf.Tensor, 'shape' | 'dtype'>;

/** One recorded operation. Hangs off its output tensors; holds no tensor but what the gradient needs. */
export class Node {
  readonly id = graph.next++;
  edges: Edge[] = [];
  /** Nodes that used an output of this one: what cannot be walked any more once this one's graph is freed. */
  consumers: Node[] = [];
  /** Why the graph is gone; undefined while it is there. */
  freed: 'backward' | 'sweep' | undefined;
  /** Outputs whose gradient is wanted though they are not leaves (`retain_grad`). */
  retained: Map<number, tf.Tensor> | undefined;

  constructor(
    readonly name: string,
    readonly outputs: readonly Shape[],
    readonly saved: tf.Tensor[],
    private gradient: ((dy: tf.Tensor | tf.Tensor[]) => Gradients) | undefined,
  ) {}

  /** The gradients of the inputs, each computed when it is called for. */
  backward(dys: readonly (tf.Tensor | undefined)[]): Gradients {
    if (!this.gradient) throw new NotImplementedError(`derivative for ${this.name} is not implemented`);
    const filled = dys.map((dy, i) => dy ?? tf.zeros(this.outputs[i]!.shape));
    return this.gradient(filled.length > 1 ? filled : filled[0]!);
  }

  /** Gives back what was saved, here and in everything that was computed from it. */
  free(why: 'backward' | 'sweep'): void {
    const stack: Node[] = [this];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (node.freed) continue;
      node.freed = why;
      for (const t of node.saved) t.dispose();
      node.saved.length = 0;
      node.gradient = undefined;
      node.edges = [];
      node.retained = undefined;
      stack.push(...node.consumers);
      node.consumers = [];
    }
  }
}

/** The end of the graph at a leaf: where `.grad` is accumulated. */
export class AccumulateGrad extends Node {
  constructor(readonly variable: tf.Tensor) {
    super('AccumulateGrad', [variable], [], undefined);
  }
  override free(): void {
    this.consumers = [];
  }
}

/**
 * Records one kernel call. `saved` belongs to the node from here on.
 * Called by the engine in place of its own tape, only for calls that have an input which needs a gradient.
 */
export function record(
  kernel: string,
  inputs: Inputs,
  outputs: readonly tf.Tensor[],
  gradient: GradientFunction | null,
  saved: tf.Tensor[],
  attrs: tf.NamedAttrMap,
): void {
  // argMax, equal and the like carry no graph, as in torch.
  if (!outputs.some((o) => o.dtype === 'float32')) {
    for (const t of saved) t.dispose();
    return;
  }
  // A kernel comes without: it is known by its name, which an operation of ours may share.
  const f = gradient ?? ownGradients.get(kernel)?.gradient(inputs, outputs) ?? tf.getGradient(kernel)?.gradFunc;
  const node = new Node(
    // A recorded function is named after its scope, as tfjs names one.
    kernel.replace('__op', ''),
    outputs.map(({ shape, dtype }) => ({ shape, dtype })),
    saved,
    f ? (dy) => (f as GradientFunction)(dy, saved, attrs) : undefined,
  );
  for (const name in inputs) {
    const input = inputs[name];
    const made = input && fields(input)._node;
    if (!made) continue;
    node.edges.push({ name, node: made, output: fields(input)._output ?? 0 });
    // What is computed from a freed graph cannot be walked back either.
    if (made.freed) node.freed = made.freed;
    else if (!(made instanceof AccumulateGrad)) made.consumers.push(node);
  }
  outputs.forEach((o, i) => {
    if (o.dtype !== 'float32') return;
    fields(o)._node = node;
    fields(o)._output = i;
    // An output was saved before it had a history; create_graph needs it.
    for (const t of saved) if (t.dataId === o.dataId) shareHistory(o, t);
  });
  if (node.freed) {
    const why = node.freed;
    node.freed = undefined;
    node.free(why);
  } else graph.nodes.push(node);
}

/** Makes `to` the same point of the graph as `from`. */
function shareHistory(from: tf.Tensor, to: tf.Tensor): void {
  fields(to)._node = fields(from)._node;
  fields(to)._output = fields(from)._output;
}

/**
 * Handles to what a node needs later: they share the tensors' storage and history, and are counted by tf.memory().
 * What engine.clone() does, without the cost of a kernel call each.
 */
export function save(tensors: readonly (tf.Tensor | undefined)[]): tf.Tensor[] {
  const { state } = engine;
  return tensors.map((t) => {
    if (!t) throw new Error('tfjs asked to save a tensor that the kernel was not given');
    const handle = new tf.Tensor(t.shape, t.dtype, t.dataId, engine.nextTensorId());
    handle.kept = true;
    const info = state.tensorInfo.get(t.dataId);
    if (info) {
      info.backend.incRef(t.dataId);
      state.numTensors++;
      state.numBytes += t.size * tf.util.bytesPerElement(t.dtype);
    }
    shareHistory(t, handle);
    return handle;
  });
}

/** Marks the nodes that can be reached from `roots` through the graph. */
export function reachable(roots: Iterable<Node | undefined>): Set<Node> {
  const seen = new Set<Node>();
  const stack: Node[] = [];
  for (const root of roots) if (root && !seen.has(root)) stack.push(root);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const edge of node.edges) if (!seen.has(edge.node)) stack.push(edge.node);
  }
  return seen;
}

/** Frees the nodes from number `first` on that `live` does not hold. */
export function freeUnreachable(first: number, live: ReadonlySet<Node>): void {
  for (const node of graph.nodes) if (node.id >= first && !live.has(node)) node.free('sweep');
  dropFreed();
}

/** Forgets the nodes whose graph is gone. */
export function dropFreed(): void {
  graph.nodes = graph.nodes.filter((node) => !node.freed);
}
