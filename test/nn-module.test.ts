import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import { relativeError, tolerances } from './tolerances';

const F = nn.functional;

class Net extends nn.Module {
  scale = new nn.Parameter(tf.ones([1]));
  head: nn.Linear;
  readonly #half = 0.5;

  constructor(override readonly name = 'net') {
    super();
    this.head = new nn.Linear(3, 2);
  }

  forward(x: tf.Tensor, twice = false): tf.Tensor {
    const y = this.head(x).mul(this.scale).mul(this.#half);
    return twice ? y.mul(2) : y;
  }
}
const values = (t: tf.Tensor) => [...t.dataSync()];
const snapshot = (m: nn.Module) =>
  Object.fromEntries(Object.entries(m.state_dict()).map(([name, t]) => [name, values(t)]));
const names = (entries: Iterable<[string, unknown]>) => [...entries].map(([name]) => name);

describe('a module', () => {
  test('is called, typed, named and recognised', () => {
    const net = new Net('mine');
    expect([net instanceof Net, net instanceof nn.Module, net.constructor.name, net.name]).toEqual([
      true,
      true,
      'Net',
      'mine',
    ]);
    const y: tf.Tensor = net(torch.ones(4, 3), true);
    expect(values(y)).toEqual(values(net.forward(torch.ones(4, 3), true)));
    // @ts-expect-error a Tensor is wanted
    expect(() => net('a')).toThrow("linear(): argument 'input' (position 1) must be Tensor, not str");
    expect(`${net}`).toBe('Net(\n  (head): Linear(in_features=3, out_features=2, bias=True)\n)');
  });

  test('registers fields and assignments by kind, and forgets what is deleted or replaced', () => {
    const net = new Net() as Net & Record<string, unknown>;
    expect(names(net.named_parameters())).toEqual(['scale', 'head.weight', 'head.bias']);
    net.register_buffer('mean', tf.zeros([2]));
    net.register_buffer('cache', tf.zeros([2]), { persistent: false });
    net.note = tf.zeros([1]);
    expect(names(net.named_buffers())).toEqual(['mean', 'cache']);
    expect(Object.keys(net.state_dict())).toEqual(['scale', 'mean', 'head.weight', 'head.bias']);
    net.mean = tf.ones([2]);
    expect(values(net.get_buffer('mean'))).toEqual([1, 1]);
    (net as Record<string, unknown>).head = new nn.Parameter(tf.ones([2]));
    net.scale = new nn.Parameter(tf.ones([3]));
    expect(names(net.named_parameters())).toEqual(['scale', 'head']);
    expect(names(net.named_modules())).toEqual(['']);
    (net as Record<string, unknown>).scale = null;
    Reflect.deleteProperty(net, 'head');
    expect(names(net.named_parameters())).toEqual([]);
    net.register_module('sub', new nn.ReLU());
    expect(net.get_submodule('sub')).toBe(net.sub);
  });

  test('shared parameters and modules are listed once, and stay shared in a deep copy', () => {
    const a = new nn.Linear(2, 2);
    const net = new nn.Sequential(a, new nn.ReLU(), a);
    net.register_parameter('tied', a.weight);
    expect(names(net.named_parameters())).toEqual(['tied', '0.bias']);
    expect(names(net.named_parameters({ remove_duplicate: false }))).toEqual([
      'tied',
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
    ]);
    expect(names(net.named_modules({ prefix: 'n' }))).toEqual(['n', 'n.0', 'n.1']);
    const copy = net.deepcopy();
    expect(copy[0]).toBe(copy[2]);
    expect(copy[0]).not.toBe(a);
    expect(snapshot(copy)).toEqual(snapshot(net));
    torch.no_grad(() => (copy[0] as nn.Linear).weight.zero_());
    expect(values(a.weight)).not.toEqual([0, 0, 0, 0]);
  });
});

describe('state', () => {
  test('is live, and clones are not', () => {
    const net = new nn.Linear(2, 1);
    const live = net.state_dict();
    const best = Object.fromEntries(Object.entries(live).map(([k, v]) => [k, v.clone()]));
    torch.no_grad(() => net.weight.zero_());
    expect(values(live.weight!)).toEqual([0, 0]);
    expect(values(best.weight!)).not.toEqual([0, 0]);
    expect(live.weight!.requires_grad).toBe(false);
    expect(net.state_dict({ keep_vars: true }).weight).toBe(net.weight);
    expect(net.load_state_dict(best)).toEqual({ missing_keys: [], unexpected_keys: [] });
    expect(values(net.weight)).toEqual(values(best.weight!));
    // Copied: the checkpoint does not follow the model.
    torch.no_grad(() => net.weight.add_(1));
    expect(values(best.weight!)).not.toEqual(values(net.weight));
  });

  test('a refused load changes nothing', () => {
    const net = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    const before = snapshot(net);
    const bad = { ...new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(4, 1)).state_dict() };
    expect(() => net.load_state_dict(bad)).toThrow(
      'Error(s) in loading state_dict for Sequential:\n\tsize mismatch for 1.weight: copying a param with shape torch.Size([1, 4]) from checkpoint, the shape in current model is torch.Size([1, 3]).',
    );
    expect(snapshot(net)).toEqual(before);
  });

  test('strict: false takes what fits and lists the rest', () => {
    const net = new nn.Linear(2, 1);
    const found = net.load_state_dict({ weight: tf.ones([1, 2]), other: tf.ones([1]) }, false);
    expect(found).toEqual({ missing_keys: ['bias'], unexpected_keys: ['other'] });
    expect(values(net.weight)).toEqual([1, 1]);
  });

  test('a parameter stays a leaf of its own after loading; assign puts the tensors there', () => {
    const net = new nn.Linear(2, 1);
    const before = net.weight;
    const weight = tf.ones([1, 2]).requires_grad_();
    net.load_state_dict({ weight: weight.mul(3), bias: tf.zeros([1]) });
    expect([net.weight === before, net.weight.is_leaf, net.weight.requires_grad]).toEqual([true, true, true]);
    net(torch.ones(1, 2)).sum().backward();
    expect([values(net.weight.grad!), weight.grad]).toEqual([[1, 1], null]);
    net.load_state_dict({ weight: tf.fill([1, 2], 5), bias: tf.zeros([1]) }, { assign: true });
    expect(net.weight).not.toBe(before);
    expect(values(net.weight)).toEqual([5, 5]);
    expect(names(net.named_parameters())).toEqual(['weight', 'bias']);
  });
});

describe('modes and hooks', () => {
  test('train, eval, apply, zero_grad, requires_grad_', () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Sequential(new nn.Dropout(0.5)));
    expect([...net.eval().modules()].map((m) => m.training)).toEqual([false, false, false, false]);
    expect([...net.train().modules()].every((m) => m.training)).toBe(true);
    const order: string[] = [];
    net.apply((m) => order.push(m._get_name()));
    expect(order).toEqual(['Linear', 'Dropout', 'Sequential', 'Sequential']);
    net(torch.ones(1, 2)).sum().backward();
    const [weight] = net.parameters();
    net.zero_grad({ set_to_none: false });
    expect(values(weight!.grad!)).toEqual([0, 0, 0, 0]);
    net.zero_grad();
    expect(weight!.grad).toBe(null);
    net.requires_grad_(false);
    expect(net(torch.ones(1, 2)).requires_grad).toBe(false);
    expect(net.to('cpu').float().cuda()).toBe(net);
    expect(() => net.to('float64')).toThrow('a module cannot become float64: tfjs computes in float32');
  });

  test('hooks run around forward, in order, and may replace what passes', () => {
    const net = new nn.Linear(2, 1, false);
    net.load_state_dict({ weight: tf.ones([1, 2]) });
    const seen: string[] = [];
    const pre = net.register_forward_pre_hook((module, [x]) => {
      seen.push(`pre ${module === net}`);
      return x.mul(10);
    });
    const post = net.register_forward_hook((_module, [x], y) => {
      seen.push('post');
      return y.add(values(x)[0]!);
    });
    net.register_forward_hook(() => void seen.push('first'), { prepend: true });
    expect(net(torch.ones(2)).item()).toBe(30);
    expect(seen).toEqual(['pre true', 'first', 'post']);
    pre.remove();
    post.remove();
    expect(net(torch.ones(2)).item()).toBe(2);
  });
});

describe('containers', () => {
  const three = () => [new nn.Linear(1, 1), new nn.ReLU(), new nn.Flatten()] as const;

  test('Sequential counts places, also with names and from the end', () => {
    const [a, b, c] = three();
    const net = new nn.Sequential({ fc: a, act: b });
    expect([net[0], net[-1], net.length, net.get_submodule('act')]).toEqual([a, b, 2, b]);
    net[1] = c;
    expect(names(net.named_children())).toEqual(['fc', 'act']);
    expect(net[-1]).toBe(c);
    expect(() => net[2]).toThrow(torch.IndexError);
    expect(() => net[2]).toThrow('index 2 is out of range');
    expect([...net.slice(0, -1)]).toEqual([a]);
    const plain = new nn.Sequential(a, b).append(c).insert(0, b);
    expect([...plain]).toEqual([b, a, b, c]);
    expect(plain.pop(0)).toBe(b);
    expect(Object.keys(plain.state_dict())).toEqual(['0.weight', '0.bias']);
  });

  test('ModuleList and ModuleDict register what they hold', () => {
    const list = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
    expect(list.push(new nn.Linear(2, 1))).toBe(3);
    let x = torch.ones(1, 2);
    for (const layer of list) x = layer(x);
    expect(x.shape).toEqual([1, 1]);
    expect(list[-1]!.out_features).toBe(1);
    expect(() => (list as unknown as () => void)()).toThrow(
      'Module [ModuleList] is missing the required "forward" function',
    );
    const dict = new nn.ModuleDict({ fc: new nn.Linear(2, 3), act: new nn.ReLU() });
    expect(dict.act(dict.fc(torch.ones(1, 2))).shape).toEqual([1, 3]);
    expect([[...dict], dict.length, dict.pop('act') instanceof nn.ReLU, [...dict]]).toEqual([
      ['fc', 'act'],
      2,
      true,
      ['fc'],
    ]);
  });
});

describe('layout', () => {
  const convolutions = () => {
    torch.manual_seed(0);
    return [new nn.Conv2d(2, 3, 3, { padding: 1 }), new nn.Conv2d(3, 4, 3)] as const;
  };
  const image = () => torch.rand(2, 2, 6, 5);

  test('nothing is transposed between layers, but weights', async () => {
    const [a, b] = convolutions();
    const net = new nn.Sequential(a, new nn.ReLU(), new nn.MaxPool2d(2), new nn.Dropout(0.5), b.eval(), new nn.ReLU());
    const wide = torch.rand(2, 2, 12, 10);
    const { kernels } = await tf.profile(() => net(wide));
    // The image and two weights.
    expect(kernels.filter((k) => k.name === 'Transpose').length).toBe(3);
  });

  test('a result that is also read gives the same gradients', () => {
    const gradients = (read: (h: tf.Tensor) => tf.Tensor) => {
      const [a, b] = convolutions();
      const h = read(a(image()));
      b(h).square().sum().add(h.mul(h).sum()).backward();
      return values(a.weight.grad!);
    };
    const plain = gradients((h) => h.mul(1));
    const lazy = gradients((h) => h);
    expect(relativeError(lazy, plain)).toBeLessThanOrEqual(tolerances.operation);
  });

  test('a detached result, and one that became a leaf, end the graph there', () => {
    const [a, b] = convolutions();
    b(a(image()).detach()).sum().backward();
    expect([a.weight.grad, b.weight.grad === null]).toEqual([null, false]);
    const leaf = torch.no_grad(() => a(image())).requires_grad_();
    b(leaf).sum().backward();
    expect([a.weight.grad, leaf.grad?.shape]).toEqual([null, leaf.shape]);
  });

  test('a result that was changed in place counts with its new values', () => {
    const [a, b] = convolutions();
    torch.no_grad(() => {
      const h = a(image());
      h.zero_();
      expect(values(b(h))).toEqual(values(b(torch.zeros(h.shape))));
    });
  });

  test('the gradient of a result between two layers can be kept', () => {
    const [a, b] = convolutions();
    const h = a(image());
    h.retain_grad();
    b(h).sum().backward();
    const leaf = h.detach().requires_grad_();
    b(leaf).sum().backward();
    expect(h.grad?.shape).toEqual(leaf.shape);
    expect(relativeError(values(h.grad!), values(leaf.grad!))).toBeLessThanOrEqual(tolerances.operation);
  });
});

describe('numbers', () => {
  const nan = () => torch.tensor([[Number.NaN, 1, 2]]);
  const losses: [string, () => tf.Tensor][] = [
    ['cross_entropy', () => F.cross_entropy(nan(), torch.tensor([1], { dtype: 'int64' }))],
    ['nll_loss', () => F.nll_loss(nan(), torch.tensor([0], { dtype: 'int64' }))],
    ['cross_entropy of shares', () => F.cross_entropy(nan(), torch.ones(1, 3))],
    ['smoothed', () => F.cross_entropy(nan(), torch.tensor([1], { dtype: 'int64' }), { label_smoothing: 0.1 })],
    ['mse_loss', () => F.mse_loss(nan(), torch.ones(1, 3))],
    ['l1_loss', () => F.l1_loss(nan(), torch.ones(1, 3))],
    ['relu', () => F.relu(nan()).sum()],
    ['softmax', () => F.softmax(nan(), 1).sum()],
    [
      'all labels ignored',
      () => F.cross_entropy(torch.ones(1, 3), torch.tensor([1], { dtype: 'int64' }), { ignore_index: 1 }),
    ],
    ['an empty batch', () => F.mse_loss(torch.zeros(0, 3), torch.zeros(0, 3))],
  ];
  test.for(losses)('NaN is not hidden: %s', ([, loss]) => expect(loss().item()).toBeNaN());

  // TensorFlow's kernel drops it: docs/deviations.md.
  test.skipIf(process.env.TFJS_TORCH_BACKEND === 'tensorflow')('NaN passes max_pool2d', () => {
    const x = torch.tensor([
      [
        [
          [1, 2],
          [Number.NaN, 3],
        ],
      ],
    ]);
    expect(F.max_pool2d(x, 2).item()).toBeNaN();
  });

  test('of equal values in a window the first has the gradient, below 0 as above', () => {
    for (const value of [-1, 0, 1]) {
      const x = torch.full([1, 1, 2, 2], value).requires_grad_();
      F.max_pool2d(x, 2).sum().backward();
      expect(values(x.grad!)).toEqual([1, 0, 0, 0]);
    }
  });

  test('a class that is masked by -Infinity does no harm', () => {
    const x = torch.tensor([[0, Number.NEGATIVE_INFINITY, 0]]).requires_grad_();
    const loss = F.cross_entropy(x, torch.tensor([2], { dtype: 'int64' }));
    loss.backward();
    expect(loss.item()).toBeCloseTo(Math.log(2), 6);
    expect(values(x.grad!)).toEqual([0.5, 0, -0.5]);
  });

  test('create_graph goes through Linear, and says where it cannot go', () => {
    const x = torch.tensor([[1, 2]]).requires_grad_();
    const fc = new nn.Linear(2, 1, false);
    const [dx] = torch.autograd.grad(F.mse_loss(fc(x), torch.zeros(1, 1)), x, null, { create_graph: true });
    dx!.sum().backward();
    const [a, b] = values(fc.weight) as [number, number];
    // d/dw Σ_k 2 (w·x) w_k
    const s = a + b;
    const y = a + 2 * b;
    expect(values(fc.weight.grad!)[0]).toBeCloseTo(2 * (s + y), 4);
    expect(values(fc.weight.grad!)[1]).toBeCloseTo(2 * (2 * s + y), 4);
    const images = torch.rand(1, 1, 4, 4).requires_grad_();
    const conv = new nn.Conv2d(1, 1, 3);
    const [d] = torch.autograd.grad(conv(images).square().sum(), images, null, { create_graph: true });
    expect(() => d!.sum().backward()).toThrow('is not implemented');
  });
});

describe('memory', () => {
  test('a step in a tidy leaves nothing but gradients, and dispose frees all', () => {
    const start = tf.memory().numTensors;
    const net = new nn.Sequential(
      new nn.Conv2d(1, 2, 3),
      new nn.MaxPool2d(2),
      new nn.ReLU(),
      new nn.Dropout(0.5),
      new nn.Flatten(),
      new nn.Linear(8, 3),
    );
    const step = () =>
      tf.tidy(() => {
        const target = torch.tensor([0, 2], { dtype: 'int64' });
        F.cross_entropy(net(torch.rand(2, 1, 6, 6)), target, { label_smoothing: 0.1 }).backward();
        F.cross_entropy(net(torch.rand(2, 1, 6, 6)), target, { weight: torch.ones(3) }).backward();
        net.zero_grad();
      });
    step();
    const after = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) step();
    expect(tf.memory().numTensors).toBe(after);
    net.dispose();
    expect(tf.memory().numTensors).toBe(start);
  });
});
