import * as tf from '@tensorflow/tfjs-core';
import { NotImplementedError, RuntimeError } from '../python/errors';
import { defineData } from '../tensor/data';
import { engine } from '../tensor/engine';
import { fields, stored } from '../tensor/fields';
import { freeGrad, peekGrad, requiresGrad, setGrad } from '../tensor/grad';
import { withGrad } from '../tensor/grad-mode';
import { OwnedVariable } from '../tensor/owned-variable';
import { swap } from '../tensor/swap';
import { AccumulateGrad, dropFreed, type Node, reachable } from './graph';
import { install } from './install';
import { gradientPoint } from './lazy';
import { added, handle, SparseTensor } from './sparse';

// ---- what a tensor says of itself

export const isLeaf = (t: tf.Tensor): boolean => {
  const node = fields(t)._node;
  return node === undefined || node instanceof AccumulateGrad;
};

export function setRequiresGrad(t: tf.Tensor, required: boolean): void {
  if (required === requiresGrad(t)) return;
  if (!isLeaf(t))
    throw new RuntimeError(
      "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
    );
  if (!required) {
    fields(t)._node = undefined;
    return;
  }
  if (t.dtype !== 'float32') throw new RuntimeError('only Tensors of floating point dtype can require gradients');
  install();
  if (!(t instanceof OwnedVariable)) defineData(t);
  fields(t)._node = new AccumulateGrad(t);
}

// ---- .grad

/**
 * Adds to `.grad`; `value` is consumed. A parameter's gradient stays until it is cleared; another leaf's is the loop's.
 * Returns what must outlive the scope of `backward`.
 */
function accumulate(t: tf.Tensor, value: tf.Tensor): tf.Tensor | null {
  const grad = peekGrad(t);
  const sum = grad ? added(grad, value) : value;
  // A sum with history (create_graph), or of a sparse and a dense gradient, is another object than the one that is there.
  const changes =
    grad !== null && (requiresGrad(sum) || (grad instanceof SparseTensor && !(sum instanceof SparseTensor)));
  if (!grad || changes) {
    if (t instanceof OwnedVariable) sum.kept = true;
    setGrad(t, sum);
    if (grad instanceof SparseTensor) freeGrad(grad);
    return sum;
  }
  // The same object, as in torch: who holds it sees the sum.
  if (grad instanceof SparseTensor) grad.become(sum as SparseTensor);
  else swap(grad, sum);
  value.dispose();
  return grad instanceof SparseTensor ? grad : null;
}

// ---- backward

const freedMessage = {
  backward:
    'Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.',
  sweep:
    'The graph of this tensor was freed after a whole round of the loop in which nothing used it. Call backward() in the ' +
    'iteration that computed it, carry the sum of the losses along, or keep it with tf.keep(loss) (docs/memory.md).',
};

interface Seed {
  node: Node;
  output: number;
  gradient: tf.Tensor;
}

/** The gradient at the root: given, or 1 for a scalar. */
function seed(t: tf.Tensor, gradient: tf.Tensor | null, index: number): Seed {
  const { _node: node, _output: output = 0 } = fields(t);
  if (!node) throw new RuntimeError(`element ${index} of tensors does not require grad and does not have a grad_fn`);
  if (gradient === null) {
    if (t.size !== 1) throw new RuntimeError('grad can be implicitly created only for scalar outputs');
    return { node, output, gradient: tf.ones(t.shape) };
  }
  if (!tf.util.arraysEqual(gradient.shape, t.shape)) {
    const size = (s: number[]) => `torch.Size([${s.join(', ')}])`;
    throw new RuntimeError(
      `Mismatch in shape: grad_output[${index}] has a shape of ${size(gradient.shape)} and output[${index}] has a shape of ${size(t.shape)}.`,
    );
  }
  return { node, output, gradient: tf.clone(gradient) };
}

/** Gradients on their way to a node, one for each of its outputs. */
type Arrived = (tf.Tensor | undefined)[];

/**
 * Walks the graph from the seeds, newest node first, and gives each leaf (or each node in `wanted`) its gradient.
 * `deliver` owns the tensor it is given.
 */
function walk(
  seeds: readonly Seed[],
  deliver: (node: Node, output: number, gradient: tf.Tensor) => boolean,
  create: boolean,
): Node[] {
  const nodes = [...reachable(seeds.map((s) => s.node))].sort((a, b) => b.id - a.id);
  for (const node of nodes) if (node.freed) throw new RuntimeError(freedMessage[node.freed]);
  const arrived = new Map<Node, Arrived>();
  const arrive = (node: Node, output: number, dx: tf.Tensor) => {
    const slots = arrived.get(node) ?? [];
    arrived.set(node, slots);
    const before = slots[output];
    slots[output] = before ? added(before, dx) : dx;
    if (before && !create) {
      before.dispose();
      dx.dispose();
    }
  };
  for (const s of seeds) arrive(s.node, s.output, s.gradient);
  for (const node of nodes) {
    const dys = arrived.get(node);
    if (!dys) continue;
    arrived.delete(node);
    const used = new Set<tf.Tensor>();
    dys.forEach((dy, i) => {
      if (dy && deliver(node, i, dy)) used.add(dy);
    });
    if (node.edges.length > 0) {
      const results = inScope(node.name, () => inputGradients(node, dys));
      node.edges.forEach((edge, i) => {
        const dx = results[i]!;
        // Two owners need two handles: an identity hands on what it was given, a product may hand out what it saved.
        const taken = dx.kept || used.has(dx) || results.indexOf(dx) !== i;
        used.add(dx);
        arrive(edge.node, edge.output, taken ? handle(dx) : dx);
      });
    }
    if (!create) for (const dy of dys) if (dy && !used.has(dy)) dy.dispose();
  }
  return nodes;
}

/** Runs `f` in a scope of the engine, which gives back all that `f` made but its result. */
function inScope<T extends readonly (tf.Tensor | null)[]>(name: string, f: () => T): T {
  engine.startScope(name);
  let result: T | undefined;
  try {
    result = f();
    return result;
  } finally {
    engine.endScope(result?.flatMap((t) => (t ? [stored(t)] : [])));
  }
}

function inputGradients(node: Node, dys: Arrived): tf.Tensor[] {
  const gradients = node.backward(node.outputs.map((_, i) => dys[i]));
  return node.edges.map(({ name }) => {
    const dx = gradients[name];
    if (!dx) throw new NotImplementedError(`derivative for input '${name}' of ${node.name} is not implemented`);
    return dx();
  });
}

function free(nodes: readonly Node[]): void {
  for (const node of nodes) node.free('backward');
  dropFreed();
}

interface BackwardOptions {
  retain_graph: boolean;
  create_graph: boolean;
}

/** The sum of gradients of `tensors` into `.grad` of the leaves they were computed from. */
export function backward(
  tensors: readonly tf.Tensor[],
  gradients: readonly (tf.Tensor | null)[],
  { create_graph, retain_graph }: BackwardOptions,
): void {
  withGrad(create_graph, () => {
    inScope('backward', () => {
      // New gradients of leaves that nobody owns leave this scope for the loop's.
      const fresh: tf.Tensor[] = [];
      const give = (t: tf.Tensor, dy: tf.Tensor) => {
        const made = accumulate(t, dy);
        if (made) fresh.push(made);
      };
      const seeds = tensors.map((t, i) => seed(t, gradients[i] ?? null, i));
      const nodes = walk(
        seeds,
        (node, output, dy) => {
          if (node instanceof AccumulateGrad) give(node.variable, dy);
          else {
            const t = node.retained?.get(output);
            const perm = t && fields(t)._node !== node ? fields(t)._perm : undefined;
            if (t) give(t, perm ? tf.transpose(dy, [...perm]) : tf.clone(dy));
          }
          return node instanceof AccumulateGrad;
        },
        create_graph,
      );
      if (!retain_graph) free(nodes);
      return fresh;
    });
  });
}

interface GradOptions extends BackwardOptions {
  allow_unused: boolean;
}

/** The gradients of `outputs` with respect to `inputs`, without touching any `.grad`. */
export function gradientsOf(
  outputs: readonly tf.Tensor[],
  inputs: readonly tf.Tensor[],
  gradients: readonly (tf.Tensor | null)[],
  { create_graph, retain_graph, allow_unused }: GradOptions,
): (tf.Tensor | null)[] {
  for (const t of inputs)
    if (!requiresGrad(t)) throw new RuntimeError('One of the differentiated Tensors does not require grad');
  return withGrad(create_graph, () =>
    inScope('grad', () => {
      const found: (tf.Tensor | null)[] = inputs.map(() => null);
      const seeds = outputs.map((t, i) => seed(t, gradients[i] ?? null, i));
      const points = inputs.map(gradientPoint);
      const nodes = walk(
        seeds,
        (node, output, dy) => {
          points.forEach((point, i) => {
            if (point?.node !== node || point.output !== output) return;
            found[i] = point.perm ? tf.transpose(dy, [...point.perm]) : tf.clone(dy);
          });
          return false;
        },
        create_graph,
      );
      if (!allow_unused && found.includes(null))
        throw new RuntimeError(
          `The differentiated Tensor at index ${found.indexOf(null)} appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.`,
        );
      if (!retain_graph) free(nodes);
      return found;
    }),
  );
}

/** Keep the gradient of a tensor that is not a leaf, when backward passes it. */
export function retainGrad(t: tf.Tensor): void {
  const point = gradientPoint(t);
  if (!point) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
  const { node, output } = point;
  if (node instanceof AccumulateGrad) return;
  node.retained ??= new Map();
  node.retained.set(output, t);
}
