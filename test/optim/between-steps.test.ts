import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import { Adam, adam, referenceState, referenceStep, setExecutor } from '@tfjs-torch/optim';
import { afterEach, describe, expect, test } from 'vitest';
import { relativeError, tolerances } from '../tolerances';
import { executors, needs } from './executors';

const SIZE = 5;
const noise = (seed: number) => Float32Array.from({ length: SIZE }, (_, i) => Math.sin(seed * 7.3 + i * 1.7));
type Options = Record<string, unknown>;

/** A parameter, and what the rule in float64 makes of it. */
class Pair {
  readonly p: Parameter;
  readonly values: Float64Array;
  state = referenceState(adam, adam.defaults, SIZE);
  constructor(
    seed: number,
    public options: Options,
  ) {
    this.p = new Parameter(tf.tensor1d(noise(seed)));
    this.values = Float64Array.from(noise(seed));
  }
  /** The parameter's next gradient; null: none. */
  grad: Float32Array | null = null;
  give(grad: Float32Array | null) {
    this.grad = grad;
    this.p.grad = grad && (tf.tensor1d(grad) as never);
  }
  step() {
    const h = { ...adam.defaults, ...this.options };
    if (this.grad) referenceStep(adam, h as never, this.values, Float64Array.from(this.grad), this.state);
  }
}

class World {
  readonly pairs = [new Pair(0, { lr: 0.1 }), new Pair(1, { lr: 0.1 }), new Pair(2, { lr: 0.2, weight_decay: 0.1 })];
  readonly optimizer = new Adam([
    { params: [this.pairs[0]!.p, this.pairs[1]!.p], lr: 0.1 },
    { params: [this.pairs[2]!.p], ...this.pairs[2]!.options },
  ]);
  #k = 0;

  get first() {
    return this.pairs[0]!;
  }
  get group() {
    return this.optimizer.param_groups[0]! as Options & { params: tf.Tensor[] };
  }
  entry(pair: Pair) {
    return this.optimizer.state.get(pair.p) as Record<string, number | tf.Tensor>;
  }
  gradients() {
    this.#k++;
    this.pairs.forEach((pair, i) => {
      pair.give(noise(10 * this.#k + i));
    });
  }
  step() {
    this.optimizer.step();
    for (const pair of this.pairs) pair.step();
  }
  check() {
    this.pairs.forEach(({ p, values, state }, i) => {
      const entry = this.optimizer.state.get(p)!;
      expect(entry.step, `step of ${i}`).toBe(state.step);
      for (const [what, actual, expected] of [
        ['parameter', p, values],
        ['exp_avg', entry.exp_avg, state.exp_avg],
        ['exp_avg_sq', entry.exp_avg_sq, state.exp_avg_sq],
      ] as [string, tf.Tensor, Float64Array][]) {
        expect(relativeError(actual.dataSync(), expected), `${what} ${i}`).toBeLessThan(tolerances.optimOps);
      }
    });
  }
}

const double = (x: Float64Array) => x.map((v) => 2 * v);
/** What a script does between two steps, and the same for the reference. */
const edits: Record<string, (world: World) => void> = {
  'other options': ({ group, pairs }) => {
    Object.assign(group, { lr: 0.3, betas: [0.5, 0.6], weight_decay: 0.2, maximize: true });
    for (const pair of pairs.slice(0, 2)) {
      pair.options = { lr: 0.3, betas: [0.5, 0.6], weight_decay: 0.2, maximize: true };
    }
  },
  'another count of steps': (world) => {
    world.entry(world.first).step = world.first.state.step = 9;
  },
  'another tensor in the state': (world) => {
    world.entry(world.first).exp_avg = tf.tensor1d(noise(77));
    world.first.state.exp_avg = Float64Array.from(noise(77));
  },
  'a write into the state': (world) => {
    (world.entry(world.first).exp_avg as tf.Tensor).mul_(2);
    world.first.state.exp_avg = double(world.first.state.exp_avg as Float64Array);
  },
  'another entry of the state': (world) => {
    const { exp_avg, exp_avg_sq } = world.entry(world.first) as Record<string, tf.Tensor>;
    world.optimizer.state.set(world.first.p, { step: 5, exp_avg: exp_avg!.mul(2), exp_avg_sq });
    Object.assign(world.first.state, { step: 5, exp_avg: double(world.first.state.exp_avg as Float64Array) });
  },
  'entries exchanged': ({ optimizer, pairs }) => {
    const [a, b] = pairs as [Pair, Pair, Pair];
    const [x, y] = [optimizer.state.get(a.p)!, optimizer.state.get(b.p)!];
    optimizer.state.set(a.p, y).set(b.p, x);
    [a.state, b.state] = [b.state, a.state];
  },
  'an entry deleted': ({ optimizer, first }) => {
    optimizer.state.delete(first.p);
    first.state = referenceState(adam, adam.defaults, SIZE);
  },
  'an empty entry': ({ optimizer, first }) => {
    optimizer.state.set(first.p, {});
    first.state = referenceState(adam, adam.defaults, SIZE);
  },
  'the whole state replaced': ({ optimizer, pairs }) => {
    optimizer.state = new Map();
    for (const pair of pairs) pair.state = referenceState(adam, adam.defaults, SIZE);
  },
  'a step without a gradient': (world) => {
    world.gradients();
    world.first.give(null);
    world.step();
  },
  'a step of gradients that were set to zero': (world) => {
    world.gradients();
    world.optimizer.zero_grad(false);
    for (const pair of world.pairs) pair.grad = new Float32Array(SIZE);
    world.step();
  },
  'p.data replaced': ({ first }) => {
    first.p.data = tf.tensor1d(noise(55));
    first.values.set(noise(55));
  },
  'requires_grad off, with a gradient there': ({ first }) => {
    first.p.requires_grad_(false);
  },
  'a new group': ({ optimizer, pairs }) => {
    const added = new Pair(33, { lr: 0.4 });
    optimizer.add_param_group({ params: [added.p], lr: 0.4 });
    pairs.push(added);
  },
  'a longer list of parameters, in another order': ({ group, pairs }) => {
    const added = new Pair(33, { lr: 0.1 });
    group.params.unshift(added.p);
    pairs.push(added);
  },
  'a parameter twice in its group': ({ group, first }) => {
    group.params.push(first.p);
    const once = first.step.bind(first);
    first.step = () => {
      once();
      once();
    };
  },
  'a state dict loaded': ({ optimizer }) => {
    const saved = optimizer.state_dict();
    optimizer.load_state_dict(saved);
    tf.dispose(saved as never);
  },
  'another executor for a step': (world) => {
    setExecutor('ops');
    world.gradients();
    world.step();
    setExecutor(null);
  },
};

const refused: Record<string, { spoil(world: World): void; text: string }> = {
  'a disposed parameter': {
    spoil: ({ pairs }) => {
      pairs[2]!.p.dispose(); // with its gradient: without one it would be skipped
      pairs[2]!.give(noise(1));
    },
    text: 'The parameter of shape [5] is disposed',
  },
  'a disposed gradient': {
    spoil: ({ pairs }) => (pairs[2]!.p.grad as unknown as tf.Tensor).dispose(),
    text: 'The gradient of shape [5] is disposed',
  },
  'a state that lacks a tensor': {
    spoil: (world) => {
      delete world.entry(world.pairs[2]!).exp_avg;
    },
    text: "'exp_avg'",
  },
  'a state that lacks what an option now asks for': {
    spoil: ({ group }) => {
      group.amsgrad = true;
    },
    text: "'max_exp_avg_sq'",
  },
};

describe.each(executors)('%s: what changes between two steps takes effect', (name) => {
  afterEach(() => setExecutor(null));
  const begin = (context: Parameters<typeof needs>[1]) => {
    needs(name, context);
    setExecutor(name === 'ops' ? name : null);
    const world = new World();
    for (let k = 0; k < 2; k++) {
      world.gradients();
      world.step();
    }
    return world;
  };

  test.for(Object.entries(edits))('%s', ([, edit], context) => {
    const world = begin(context);
    edit(world);
    for (let k = 0; k < 2; k++) {
      world.gradients();
      world.step();
    }
    world.check();
  });
  test.for(Object.entries(refused))('%s: an error, and nothing is updated', ([, { spoil, text }], context) => {
    const world = begin(context);
    world.gradients();
    spoil(world);
    expect(() => world.optimizer.step()).toThrowError(text);
    for (const pair of world.pairs.slice(0, 2)) {
      expect(world.entry(pair).step).toBe(2);
      expect(relativeError(pair.p.dataSync(), pair.values)).toBeLessThan(tolerances.optimOps);
    }
  });
});
