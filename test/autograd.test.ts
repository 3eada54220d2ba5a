import * as tf from '@tensorflow/tfjs-core';
import {
  autograd,
  enable_grad,
  internal,
  is_grad_enabled,
  no_grad,
  ones,
  Parameter,
  set_grad_enabled,
  tensor,
} from '@tfjs-torch/core';
import { describe, expect, test } from 'vitest';
import golden from './golden/autograd.json';
import { relativeError, tolerances } from './tolerances';

type Leaves = { x: tf.Tensor; w: tf.Tensor; b: tf.Tensor };

/** The programs of scripts/golden/autograd.py. Each returns what is walked back; null if it has done so itself. */
const programs: Record<string, (leaves: Leaves) => tf.Tensor | [value: tf.Tensor]> = {
  add_broadcast: ({ x, w, b }) => x.matmul(w).add(b).sum(),
  sub_broadcast: ({ x, w, b }) => b.sub(x.matmul(w)).pow(2).sum(),
  mul_broadcast: ({ x, w, b }) => x.matmul(w).mul(b).sum(),
  div: ({ x, w, b }) => b.div(x.matmul(w).add(3)).sum(),
  relu: ({ x, w, b }) => x.matmul(w).add(b).relu().sum(),
  mean_axis: ({ x }) =>
    x
      .mean(0)
      .mul(x.mean(1, { keepdim: true }))
      .sum(),
  max: ({ x, w }) => x.matmul(w).max(),
  transpose: ({ x }) => x.transpose(0, 1).reshape(2, 3).mul(x).sum(),
  cat: ({ x, w, b }) =>
    tf
      .concat([x.matmul(w), b.expand(1, 2)])
      .pow(3)
      .sum(),
  softmax: ({ x, w, b }) => x.matmul(w).softmax(1).mul(b).sum(),
  log_sigmoid_sqrt: ({ x }) => x.sigmoid().log().mul(x.abs().sqrt()).sum(),
  view: ({ x }) => x.view(-1, 2).unsqueeze(0).squeeze(0).flatten(0).mul(2).pow(2).sum(),
  alpha: ({ x, w, b }) => x.matmul(w).add(b, { alpha: 0.5 }).sub(b, { alpha: 3 }).pow(2).sum(),
  accumulate: ({ x }) => {
    x.mul(2).sum().backward();
    const y = x.mul(x).sum();
    y.backward();
    return [y];
  },
  retain: ({ x }) => {
    const y = x.exp().mul(0.5).sum();
    y.backward({ retain_graph: true });
    y.backward();
    return [y];
  },
  shared: ({ x, w }) => {
    const h = x.matmul(w);
    return h.mul(h).add(h).sum();
  },
  branches: ({ x, w, b }) => {
    const h = x.matmul(w).add(b).tanh();
    h.slice([0, 0], [2, 1]).mul(3).sum().backward(null, { retain_graph: true });
    return h.mul(h).mean();
  },
  double_backward: ({ x }) => {
    const [g] = autograd.grad(x.mul(x).mul(x).sum(), x, { create_graph: true });
    return g!.mul(g!).sum();
  },
  penalty: ({ x, w }) => {
    const [g] = autograd.grad(x.matmul(w).tanh().sum(), x, null, { create_graph: true });
    return g!.norm().sub(1).pow(2);
  },
  in_place: ({ x, w, b }) => {
    const h = x.matmul(w);
    h.add_(b);
    h.mul_(2);
    return h.mul(h).sum();
  },
  detached: ({ x, w }) => {
    const h = x.matmul(w);
    return h.mul(h.detach()).sum();
  },
  gradient_given: ({ x, w, b }) => {
    const h = x.matmul(w).add(b);
    h.backward(h);
    return [h];
  },
  no_grad_part: ({ x, w }) => {
    const scale = no_grad(() => x.mul(x).sum());
    return x.matmul(w).mul(scale).sum();
  },
  frozen: ({ x, w, b }) => {
    w.requires_grad_(false);
    return x.matmul(w).add(b).sum();
  },
  retained: ({ x, w, b }) => {
    const h = x.matmul(w);
    h.retain_grad();
    const y = h.mul(h).sum();
    y.backward();
    b.grad = h.grad!.sum(0);
    return [y];
  },
};

const leaves = (): Leaves => {
  const { x, w, b } = golden.inputs;
  const leaf = (v: number[] | number[][]) => tensor(v, { requires_grad: true });
  return { x: leaf(x), w: leaf(w), b: leaf(b) };
};

function expectClose(actual: tf.Tensor, wanted: unknown, what: string): void {
  const error = relativeError(actual.dataSync(), [wanted].flat(9) as number[]);
  expect(error, what).toBeLessThanOrEqual(tolerances.operation);
}

describe('gradients are those of torch', () => {
  test('every program of the golden file is here', () => {
    expect(Object.keys(programs).sort()).toEqual(Object.keys(golden.rows).sort());
  });

  test.each(Object.entries(golden.rows))('%s', (name, { value, grads }) => {
    const inputs = leaves();
    const result = programs[name]!(inputs);
    const y = Array.isArray(result) ? result[0] : result;
    if (!Array.isArray(result)) y.backward();
    expectClose(y, value, 'value');
    for (const [key, wanted] of Object.entries(grads)) {
      const { grad } = inputs[key as keyof Leaves];
      if (wanted === null) expect(grad, `${key}.grad`).toBeNull();
      else expectClose(grad!, wanted, `${key}.grad`);
    }
  });
});

describe('errors are those of torch', () => {
  const leaf = () => ones(3, { requires_grad: true });
  const cases: Record<string, () => unknown> = {
    'no grad_fn': () => ones(1).backward(),
    'not a scalar': () => leaf().mul(2).backward(),
    twice: () => {
      const y = leaf().exp().sum();
      y.backward();
      y.backward();
    },
    'gradient of another shape': () => leaf().mul(2).backward(ones(2)),
    'requires_grad of a computed tensor': () => {
      leaf().mul(2).requires_grad = false;
    },
    'requires_grad of integers': () => tensor([1, 2], { dtype: 'int32' }).requires_grad_(),
    'in place on a leaf': () => leaf().add_(1),
    'in place with another shape': () => ones(3).add_(ones(2, 3)),
    'grad of an input without grad': () => autograd.grad(leaf().sum(), ones(3)),
    'grad of an unused input': () => autograd.grad(leaf().sum(), leaf()),
    'grad of another size': () => {
      leaf().grad = ones(2);
    },
    'item of several': () => ones(2).item(),
    'view of a wrong size': () => ones(6).view(4, -1),
    'view of two unknowns': () => ones(6).view(-1, -1),
    'retain_grad without': () => ones(2).retain_grad(),
  };
  test('every error of the golden file is here', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(golden.errors).sort());
  });
  test.each(Object.entries(golden.errors))('%s', (name, { type, message }) => {
    let thrown: unknown;
    try {
      cases[name]!();
    } catch (error) {
      thrown = error;
    }
    expect((thrown as Error | undefined)?.message).toBe(message);
    expect((thrown as Error).name).toBe(type);
  });
});

describe('.grad', () => {
  test('is null, then the same object while it accumulates', () => {
    const p = new Parameter(tensor([1, 2]));
    expect(p.grad).toBeNull();
    p.mul(3).sum().backward();
    const { grad } = p;
    p.mul(3).sum().backward();
    expect(p.grad).toBe(grad);
    expect(grad!.arraySync()).toEqual([6, 6]);
  });

  test('a user who has read it may use it after it is cleared', () => {
    const p = new Parameter(tensor([1, 2]));
    p.mul(3).sum().backward();
    const { grad } = p;
    internal.clearGrad(p);
    expect(p.grad).toBeNull();
    expect(grad!.arraySync()).toEqual([3, 3]);
  });

  test('is freed at once when nobody has', () => {
    const p = new Parameter(tensor([1, 2]));
    const before = tf.memory().numDataBuffers;
    tf.tidy(() => p.mul(3).sum().backward());
    internal.clearGrad(p);
    expect(tf.memory().numDataBuffers).toBe(before);
  });

  test('a refused assignment changes nothing', () => {
    const p = new Parameter(tensor([1, 2]));
    p.mul(3).sum().backward();
    expect(() => {
      p.grad = ones(3);
    }).toThrow(/attempting to assign a gradient of size '\[3\]'/);
    expect(p.grad!.arraySync()).toEqual([3, 3]);
  });
});

describe('.data and detach', () => {
  test('p.data is written through, without a graph', () => {
    const p = new Parameter(tensor([1, 2]));
    p.data.add_(ones(2), { alpha: -0.5 });
    expect(p.arraySync()).toEqual([0.5, 1.5]);
    p.data.add_(-0.5, ones(2)); // torch's old order
    expect(p.arraySync()).toEqual([0, 1]);
    p.data = p.data.mul(2);
    expect(p.arraySync()).toEqual([0, 2]);
    expect(p.data.requires_grad).toBe(false);
    expect(p.requires_grad).toBe(true);
    expect(() => {
      p.data = ones(3);
    }).toThrow(/same shape/);
  });

  test("tfjs's await p.data() is the same as before", async () => {
    const p = new Parameter(tensor([1, 2]));
    expect([...(await p.data<'float32'>())]).toEqual([1, 2]);
  });

  test('detach and view: what is written into them in place reaches the base', () => {
    const t = ones(2, 2);
    t.detach().mul_(3);
    t.view(-1).add_(1);
    expect(t.arraySync()).toEqual([
      [4, 4],
      [4, 4],
    ]);
  });

  test('what was saved for backward does not change with the parameter', () => {
    const p = new Parameter(tensor([3]));
    const y = p.mul(p).sum();
    p.data.fill_(100);
    y.backward();
    expect(p.grad!.arraySync()).toEqual([6]);
  });
});

describe('grad mode', () => {
  const p = () => new Parameter(tensor([1, 2]));

  test('no_grad, enable_grad and set_grad_enabled nest', () => {
    const w = p();
    no_grad(() => {
      expect(w.mul(2).requires_grad).toBe(false);
      enable_grad(() => expect(w.mul(2).requires_grad).toBe(true));
      expect(is_grad_enabled()).toBe(false);
    });
    expect(() =>
      no_grad(() => {
        throw new Error('out');
      }),
    ).toThrow('out');
    expect(is_grad_enabled()).toBe(true);
    set_grad_enabled(false);
    expect(w.mul(2).requires_grad).toBe(false);
    set_grad_enabled(true);
  });

  const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
  // Async functions by their kind, and plain ones that return a promise.
  const forms = {
    async: (f: () => Promise<boolean[]>) => async () => await f(),
    plain: (f: () => Promise<boolean[]>) => () => f(),
  };

  test.each(Object.entries(forms))('does not leak across an await: %s', async (_, form) => {
    const w = p();
    const recorded = () => w.mul(2).requires_grad;
    const body = async () => {
      await tick();
      const first = recorded();
      await tick();
      return [first, recorded()];
    };
    const inside = no_grad(form(body));
    const outside = recorded();
    await tick();
    expect([outside, recorded()]).toEqual([true, true]);
    expect(await inside).toEqual([false, false]);
    // Overlapping ones end in any order.
    expect(await Promise.all([no_grad(form(body)), no_grad(form(body)), enable_grad(form(body))])).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect(is_grad_enabled()).toBe(true);
  });

  test('integers carry no graph', () => {
    const w = p();
    expect(w.argMax().requires_grad).toBe(false);
    expect(w.greater(0).requires_grad).toBe(false);
  });
});

describe("beside tfjs's own gradients", () => {
  test('tf.grads and tf.variableGrads work with the mode on and off', () => {
    const w = new Parameter(tensor([1, 2]));
    const v = tf.variable(tf.tensor1d([3, 4]));
    const f = () => v.mul(w).sum() as tf.Scalar;
    for (const run of [(g: () => void) => g(), (g: () => void) => no_grad(g)])
      run(() => {
        expect(tf.variableGrads(f, [v]).grads[v.name]!.arraySync()).toEqual([1, 2]);
        expect(
          tf
            .grads((a: tf.Tensor, b: tf.Tensor) => a.mul(b))([w, v])[0]!
            .arraySync(),
        ).toEqual([3, 4]);
        expect(
          tf
            .grad((a: tf.Tensor) => tf.grad((b: tf.Tensor) => b.mul(b).mul(b))(a))(tensor([2]))
            .arraySync(),
        ).toEqual([12]);
      });
    f().backward();
    expect(w.grad!.arraySync()).toEqual([3, 4]);
  });

  test('tf.customGrad takes part', () => {
    const w = new Parameter(tensor([2, 3]));
    const cube = tf.customGrad((x, save) => {
      (save as tf.GradSaveFunc)([x as tf.Tensor]);
      return {
        value: (x as tf.Tensor).mul(x as tf.Tensor).mul(x as tf.Tensor),
        gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => dy.mul(saved[0]!.square()).mul(3),
      };
    });
    cube(w).sum().backward();
    expect(w.grad!.arraySync()).toEqual([12, 27]);
  });

  test('a direct kernel call outside of any scope works', () => {
    new Parameter(tensor([1]));
    const y = tf.engine().runKernel('Square', { x: tensor([3]) }) as tf.Tensor;
    expect(y.arraySync()).toEqual([9]);
  });

  test('Variable of seed 003 is the tensor itself', () => {
    const t = ones(2);
    expect(autograd.Variable(t)).toBe(t);
    expect(new autograd.Variable(t, true).requires_grad).toBe(true);
  });
});
