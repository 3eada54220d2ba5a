import * as tf from '@tensorflow/tfjs-core';
import { catch_warnings, is_grad_enabled, Parameter, RuntimeError } from '@tfjs-torch/core';
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  ASGD,
  NAdam,
  Optimizer,
  type ParamsInput,
  RAdam,
  RMSprop,
  Rprop,
  register_optimizer_step_post_hook,
  register_optimizer_step_pre_hook,
  required,
  SGD,
} from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';

const parameter = (...values: number[]) => new Parameter(tf.tensor1d(values));
const setGrad = (p: tf.Tensor, ...values: number[]) => {
  p.grad = tf.tensor1d(values) as unknown as typeof p.grad;
};
const values = (t: tf.Tensor) => Array.from(t.dataSync());

const makers: [string, (params: ParamsInput<object>) => Optimizer<object>][] = [
  ['SGD', (params) => new SGD(params, 0.1)],
  ['SGD with momentum', (params) => new SGD(params, 0.1, 0.9, { weight_decay: 0.1, nesterov: true })],
  ['Adam', (params) => new Adam(params, { amsgrad: true, weight_decay: 0.1 })],
  ['AdamW', (params) => new AdamW(params, 0.01)],
  ['NAdam', (params) => new NAdam(params, { weight_decay: 0.1, decoupled_weight_decay: true })],
  ['RAdam', (params) => new RAdam(params, { weight_decay: 0.1 })],
  ['Adamax', (params) => new Adamax(params)],
  ['Adagrad', (params) => new Adagrad(params, { lr_decay: 0.1 })],
  ['Adadelta', (params) => new Adadelta(params)],
  ['RMSprop', (params) => new RMSprop(params, { momentum: 0.5, centered: true })],
  ['Rprop', (params) => new Rprop(params)],
  ['ASGD', (params) => new ASGD(params, { t0: 2, weight_decay: 0.1 })],
];

describe('arguments', () => {
  test.each<[string, (p: Parameter) => SGD]>([
    ['by position', (p) => new SGD([p], 0.5, 0.25)],
    ['by name', (p) => new SGD([p], { momentum: 0.25, lr: 0.5 })],
    ['mixed', (p) => new SGD([p], 0.5, { momentum: 0.25 })],
    ['params by name too', (p) => new SGD({ params: [p], lr: 0.5, momentum: 0.25 })],
    ['a generator', (p) => new SGD([p].values(), 0.5, 0.25)],
    ['a map of names', (p) => new SGD(new Map([['w', p]]), 0.5, 0.25)],
    ['a group', (p) => new SGD([{ params: p, lr: 0.5 }], { momentum: 0.25 })],
    ['a group of a generator', (p) => new SGD([{ params: [p].values(), lr: 0.5 }], { momentum: 0.25 })],
    ['a group of pairs', (p) => new SGD([{ params: [['w', p]], lr: 0.5 }], { momentum: 0.25 })],
  ])('%s', (_, make) => {
    const p = parameter(1);
    const [group] = make(p).param_groups;
    expect(group).toMatchObject({ lr: 0.5, momentum: 0.25, dampening: 0 });
    expect(group!.params).toEqual([p]);
  });

  test('a group is the object that was given, as in torch', () => {
    const group = { params: [parameter(1)] };
    const optimizer = new SGD([group], 0.5);
    expect(optimizer.param_groups[0]).toBe(group);
    const second = { params: parameter(2), lr: 0.25 };
    optimizer.add_param_group(second);
    expect(optimizer.param_groups[1]).toBe(second);
    expect(second).toMatchObject({ lr: 0.25, momentum: 0 });
  });

  test('a group does not share its tuples with the defaults', () => {
    const optimizer = new Adam([{ params: [parameter(1)] }, { params: [parameter(2)] }]);
    expect(optimizer.param_groups[0]!.betas).not.toBe(optimizer.param_groups[1]!.betas);
  });
});

describe('what a script does between steps takes effect', () => {
  test('lr of one group', () => {
    const [a, b] = [parameter(1), parameter(1)];
    const optimizer = new SGD([{ params: [a] }, { params: [b] }], 0.5);
    optimizer.param_groups[1]!.lr = 0.25;
    setGrad(a, 1);
    setGrad(b, 1);
    optimizer.step();
    expect([...values(a), ...values(b)]).toEqual([0.5, 0.75]);
  });

  test('a parameter without a gradient is skipped, and gets no state', () => {
    const [a, b] = [parameter(1), parameter(1)];
    const optimizer = new Adam([a, b]);
    setGrad(a, 1);
    optimizer.step();
    expect(values(b)).toEqual([1]);
    expect(optimizer.state.has(b)).toBe(false);
    expect(optimizer.state.get(a)!.step).toBe(1);
    optimizer.zero_grad();
    expect(a.grad).toBeNull();
    const before = values(a);
    optimizer.step();
    expect(values(a)).toEqual(before);
    expect(optimizer.state.get(a)!.step).toBe(1);
  });

  test('a frozen parameter moves as long as its gradient is there, as in torch, and then rests', () => {
    const [p, q] = [parameter(1), parameter(1)];
    const optimizer = new SGD([p, q], 0.5);
    const backward = () => tf.sum(tf.add(p, q)).backward();
    backward();
    p.requires_grad = false;
    optimizer.step();
    optimizer.zero_grad();
    backward();
    optimizer.step();
    expect([...values(p), ...values(q)]).toEqual([0.5, 0]);
    p.requires_grad = true;
    optimizer.zero_grad();
    backward();
    optimizer.step();
    expect([...values(p), ...values(q)]).toEqual([0, -0.5]);
  });

  test('a group that is added between steps is trained with its own options, and counts its own steps', () => {
    const [p, q] = [parameter(1), parameter(1)];
    const optimizer = new Adam([p], { lr: 0.5, eps: 0 });
    setGrad(p, 1);
    optimizer.step();
    optimizer.add_param_group({ params: q, lr: 0.25 });
    setGrad(q, 1);
    optimizer.step();
    expect([...values(p), ...values(q)].map((x) => Math.round(x * 1e5) / 1e5)).toEqual([0, 0.75]);
    expect([p, q].map((x) => optimizer.state.get(x)!.step)).toEqual([2, 1]);
  });

  test('a zero gradient is not skipped: momentum goes on', () => {
    const p = parameter(1);
    const optimizer = new SGD([p], 0.5, 0.5);
    setGrad(p, 1);
    optimizer.step();
    optimizer.zero_grad({ set_to_none: false });
    expect(values(p.grad!)).toEqual([0]);
    optimizer.step();
    expect(values(p)).toEqual([0.25]);
  });

  test('a NaN in the gradient is not hidden, nor by amsgrad’s maximum', () => {
    const p = parameter(1, 1);
    const optimizer = new Adam([p], { amsgrad: true });
    setGrad(p, 1, 1);
    optimizer.step();
    setGrad(p, Number.NaN, 1);
    optimizer.step();
    expect(values(p)[0]).toBeNaN();
    expect(values(optimizer.state.get(p)!.max_exp_avg_sq as tf.Tensor)[0]).toBeNaN();
    expect(values(p)[1]).not.toBeNaN();
  });

  test.each(makers)('%s writes to nobody else’s buffer', (_, make) => {
    const initial = tf.tensor1d([1, 2, 3]);
    const p = new Parameter(initial);
    const optimizer = make([p]);
    setGrad(p, 1, 1, 1);
    optimizer.step();
    const copy = tf.clone(p);
    const seen = values(copy);
    const grad = tf.tensor1d([1, 2, 3]);
    p.grad = grad as unknown as typeof p.grad;
    optimizer.step();
    expect(values(initial)).toEqual([1, 2, 3]);
    expect(values(grad)).toEqual([1, 2, 3]);
    expect(values(copy)).toEqual(seen);
    expect(values(p)).not.toEqual(seen);
  });
});

describe('closures', () => {
  const setting = () => {
    const p = parameter(2);
    return { p, optimizer: new SGD([p], 0.5) };
  };

  test('a synchronous one: gradients are recorded in it, its value comes back', () => {
    const { p, optimizer } = setting();
    let output: tf.Tensor | undefined;
    const loss = optimizer.step(() => {
      optimizer.zero_grad();
      output = tf.mul(p, 3);
      const l = tf.sum(output);
      l.backward();
      return l;
    });
    expect(values(loss)).toEqual([6]);
    expect(values(output!)).toEqual([6]);
    expect(values(p)).toEqual([0.5]);
    expect(optimizer.step({ closure: () => 7 })).toBe(7);
    expect(optimizer.step()).toBeNull();
  });

  test('one that only returns a promise leaves the mode as it was', async () => {
    const { p, optimizer } = setting();
    const closure = async () => {
      await null;
      const loss = tf.sum(tf.mul(p, 3));
      loss.backward();
      return loss;
    };
    expect(values((await optimizer.step(() => closure())) as tf.Tensor)).toEqual([6]);
    expect(values(p)).toEqual([0.5]);
    expect(is_grad_enabled()).toBe(true);
  });

  test('an async one: the step is async', async () => {
    const { p, optimizer } = setting();
    const stepped = optimizer.step(async () => {
      await null;
      const l = tf.sum(tf.mul(p, 3));
      l.backward();
      return l;
    });
    expect(optimizer.stepCount).toBe(0);
    const loss = await stepped;
    expect(values(loss)).toEqual([6]);
    expect(values(p)).toEqual([0.5]);
    expect(optimizer.stepCount).toBe(1);
    const { requires_grad } = tf.mul(p, 2);
    expect(requires_grad).toBe(true);
  });

  test('one that throws changes nothing', () => {
    const { p, optimizer } = setting();
    setGrad(p, 1);
    const fail = () => {
      throw new RangeError('no data');
    };
    expect(() => optimizer.step(fail)).toThrowError(new RangeError('no data'));
    expect(values(p)).toEqual([2]);
    expect(optimizer.stepCount).toBe(0);
  });
});

describe('a class of the user’s own', () => {
  // Seed 003's way: torch.optim is made to be extended.
  class MyOpt extends Optimizer<{ lr: number }> {
    constructor(params: ParamsInput<{ lr: number }>, lr: number) {
      super(params, { lr });
    }
    override step() {
      for (const group of this.param_groups) {
        for (const p of group.params as Parameter[]) {
          if (p.grad == null) continue;
          p.data.add_(p.grad, { alpha: -group.lr });
        }
      }
      return null;
    }
  }

  test('trains', () => {
    const p = parameter(1, 2);
    const optimizer = new MyOpt([p], 0.25);
    for (let i = 0; i < 2; i++) {
      optimizer.zero_grad();
      tf.sum(tf.square(p)).backward();
      optimizer.step();
    }
    expect(values(p)).toEqual([0.25, 0.5]);
    expect(String(optimizer)).toBe('MyOpt (\nParameter Group 0\n    lr: 0.25\n)');
  });

  test('has hooks, the count and no_grad, though it overrides step', () => {
    const p = parameter(1);
    const optimizer = new MyOpt([p], 0.25);
    const seen: string[] = [];
    optimizer.register_step_pre_hook(() => void seen.push('pre'));
    optimizer.register_step_post_hook(() => void seen.push('post'));
    setGrad(p, 1);
    optimizer.step();
    expect(seen).toEqual(['pre', 'post']);
    expect(optimizer.stepCount).toBe(1);
    expect(p.requires_grad).toBe(true);
    expect(tf.mul(p, 2).requires_grad).toBe(true);
  });

  test('may call the step of ours, whose hooks run once', () => {
    class Twice extends SGD {
      override step(): null {
        super.step();
        return super.step();
      }
    }
    const p = parameter(1);
    const optimizer = new Twice([p], 0.25);
    let calls = 0;
    optimizer.register_step_post_hook(() => {
      calls++;
    });
    setGrad(p, 1);
    optimizer.step();
    expect(values(p)).toEqual([0.5]);
    expect([calls, optimizer.stepCount]).toEqual([1, 1]);
  });

  test('may step asynchronously, without recording, and counts when it is done', async () => {
    class Slow extends Optimizer<{ lr: number }> {
      override async step() {
        await null;
        for (const { params, lr } of this.param_groups) for (const p of params) p.add_(p.grad!, { alpha: -lr });
        return 'done';
      }
    }
    const p = parameter(1);
    const optimizer = new Slow([p], { lr: 0.25 });
    setGrad(p, 1);
    const stepped = optimizer.step();
    expect([optimizer.stepCount, tf.mul(p, 2).requires_grad]).toEqual([0, true]);
    expect(await stepped).toBe('done');
    expect([optimizer.stepCount, ...values(p)]).toEqual([1, 0.75]);
  });

  test('without a step fails with a name', () => {
    class Lazy extends Optimizer {}
    expect(() => new Lazy([parameter(1)], {}).step()).toThrowError('Lazy.step() is not implemented');
  });

  test('may require an option of every group', () => {
    class Needs extends Optimizer<{ rate: unknown }> {}
    expect(() => new Needs([parameter(1)], { rate: required })).toThrowError(
      "parameter group didn't specify a value of required optimization parameter rate",
    );
    expect(new Needs([{ params: [parameter(1)], rate: 2 }], { rate: required }).param_groups[0]!.rate).toBe(2);
  });

  test('saves and loads what it keeps', () => {
    class Momentum extends MyOpt {
      override step() {
        for (const { params, lr } of this.param_groups) {
          for (const p of params as Parameter[]) {
            if (p.grad == null) continue;
            const state = this.state.get(p) ?? { buffer: tf.keep(tf.zerosLike(p)), updates: 0 };
            this.state.set(p, state);
            (state.buffer as Parameter).mul_(0.5).add_(p.grad);
            state.updates = (state.updates as number) + 1;
            p.data.add_(state.buffer as tf.Tensor, { alpha: -lr });
          }
        }
        return null;
      }
    }
    const [p, q] = [parameter(1), parameter(1)];
    const [first, second] = [new Momentum([p], 1), new Momentum([q], 1)];
    setGrad(p, 1);
    first.step();
    setGrad(q, 1);
    second.step();
    const saved = first.state_dict();
    expect(saved.state[0]).toMatchObject({ updates: 1 });
    second.load_state_dict(saved);
    tf.dispose(saved.state as tf.TensorContainer);
    setGrad(p, 1);
    first.step();
    second.step();
    expect(values(q)).toEqual(values(p));
    expect(values(p)).toEqual([-1.5]);
  });
});

describe('hooks', () => {
  test('run in torch’s order and can be removed', () => {
    const optimizer = new SGD([parameter(1)]);
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(name);
    const handles = [
      optimizer.register_step_pre_hook(note('local pre')),
      optimizer.register_step_post_hook(note('local post')),
      register_optimizer_step_pre_hook(note('global pre')),
      register_optimizer_step_post_hook(note('global post')),
    ];
    optimizer.step(note('step'));
    expect(seen).toEqual(['global pre', 'local pre', 'step', 'local post', 'global post']);
    for (const handle of handles) handle.remove();
    optimizer.step();
    expect(seen.length).toBe(5);
  });

  test('a pre-hook may change the arguments; anything else that it returns is an error', () => {
    const optimizer = new SGD([parameter(1)]);
    const handle = optimizer.register_step_pre_hook(() => [[() => 'other'], {}]);
    expect(optimizer.step(() => 'given')).toBe('other');
    handle.remove();
    optimizer.register_step_pre_hook(() => 5 as unknown as null);
    expect(() => optimizer.step()).toThrowError(
      'SGD.step must return None or a tuple of (new_args, new_kwargs), but got 5.',
    );
  });

  type Adds = (optimizer: SGD, hook: () => void, prepend?: boolean | { prepend?: boolean }) => { remove(): void };
  test.each<[string, Adds, (optimizer: SGD) => void]>([
    ['state_dict pre', (o, ...args) => o.register_state_dict_pre_hook(...args), (o) => o.state_dict()],
    ['state_dict post', (o, ...args) => o.register_state_dict_post_hook(...args), (o) => o.state_dict()],
    [
      'load_state_dict pre',
      (o, ...args) => o.register_load_state_dict_pre_hook(...args),
      (o) => o.load_state_dict(o.state_dict()),
    ],
    [
      'load_state_dict post',
      (o, ...args) => o.register_load_state_dict_post_hook(...args),
      (o) => o.load_state_dict(o.state_dict()),
    ],
  ])('%s: in the order of registration, prepended ones before, until removed', (_, add, call) => {
    const optimizer = new SGD([parameter(1)]);
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(name);
    const handles = [
      add(optimizer, note('second')),
      add(optimizer, note('third')),
      add(optimizer, note('fourth'), { prepend: false }),
      add(optimizer, note('first'), true),
      add(optimizer, note('zeroth'), { prepend: true }),
    ];
    call(optimizer);
    expect(seen).toEqual(['zeroth', 'first', 'second', 'third', 'fourth']);
    handles[0]!.remove();
    call(optimizer);
    expect(seen.slice(5)).toEqual(['zeroth', 'first', 'third', 'fourth']);
  });

  test('of state_dict and load_state_dict may give another dict', () => {
    const optimizer = new SGD([parameter(1)]);
    optimizer.register_state_dict_post_hook((_, sd) => ({ ...sd, state: { mine: 1 } }));
    const saved = optimizer.state_dict();
    expect(saved.state).toEqual({ mine: 1 });
    optimizer.register_load_state_dict_pre_hook((_, sd) => ({
      ...sd,
      param_groups: [{ ...sd.param_groups[0]!, lr: 9 }],
    }));
    const seen: unknown[] = [];
    optimizer.register_load_state_dict_post_hook((o) => void seen.push((o as SGD).param_groups[0]!.lr));
    optimizer.load_state_dict(saved);
    expect(seen).toEqual([9]);
  });
});

describe('state_dict and load_state_dict', () => {
  const steps = (optimizer: Optimizer<object>, params: Parameter[], from: number, to: number) => {
    for (let k = from; k < to; k++) {
      params.forEach((p, i) => {
        setGrad(p, Math.sin(k + i), Math.cos(k * i));
      });
      optimizer.step();
    }
  };
  const two = () => [parameter(1, 2), parameter(3, 4)];

  test.each(makers)('%s goes on as if never interrupted', (_, make) => {
    const whole = two();
    steps(make(whole), whole, 0, 6);

    const params = two();
    const first = make(params);
    steps(first, params, 0, 3);
    const saved = first.state_dict();
    const again = params.map((p) => new Parameter(tf.clone(p)));
    const second = make(again);
    second.load_state_dict(saved);
    tf.dispose([saved.state, saved.param_groups] as tf.TensorContainer);
    first.dispose();
    steps(second, again, 3, 6);
    expect(again.map(values)).toEqual(whole.map(values));
  });

  test('is a snapshot, with torch’s float32 scalar for step', () => {
    const params = two();
    const optimizer = new Adam(params);
    steps(optimizer, params, 0, 1);
    const saved = optimizer.state_dict();
    const entry = saved.state[0] as Record<string, tf.Tensor>;
    const before = values(entry.exp_avg!);
    steps(optimizer, params, 1, 2);
    expect(values(entry.exp_avg!)).toEqual(before);
    expect([entry.step!.shape, entry.step!.dtype, values(entry.step!)]).toEqual([[], 'float32', [1]]);
    expect(saved.param_groups[0]!.params).toEqual([0, 1]);
  });

  test('counts parameters over groups, and keeps names', () => {
    const [a, b, c] = [parameter(1), parameter(2), parameter(3)];
    const optimizer = new SGD([
      { params: [['a', a]] },
      {
        params: [
          ['b', b],
          ['c', c],
        ],
        lr: 0.5,
      },
    ]);
    const { param_groups } = optimizer.state_dict();
    expect(param_groups.map((g) => g.params)).toEqual([[0], [1, 2]]);
    expect(param_groups.map((g) => g.param_names)).toEqual([['a'], ['b', 'c']]);
    const other = new SGD([
      { params: [['x', a]] },
      {
        params: [
          ['y', b],
          ['z', c],
        ],
      },
    ]);
    other.load_state_dict(optimizer.state_dict());
    expect(other.param_groups.map((g) => g.param_names)).toEqual([['a'], ['b', 'c']]);
    expect(other.param_groups[1]!.lr).toBe(0.5);
  });

  test('of a parameter that a group holds twice has the later number, as in torch', () => {
    const [a, b] = two();
    let optimizer!: SGD;
    catch_warnings(() => {
      optimizer = new SGD([a!, b!, a!], 0.5, 0.5);
    });
    steps(optimizer, [a!, b!], 0, 1);
    const { state, param_groups } = optimizer.state_dict();
    expect([Object.keys(state), param_groups[0]!.params]).toEqual([
      ['1', '2'],
      [2, 1, 2],
    ]);
  });

  test('takes a checkpoint of an older torch: plain step, options that did not exist yet', () => {
    const [p] = two();
    const state = { 0: { step: 4, exp_avg: tf.zeros([2]), exp_avg_sq: tf.ones([2]) } };
    const param_groups = [{ lr: 0.5, betas: [0.5, 0.9], eps: 1e-3, weight_decay: 0.25, params: [0] }];
    const optimizer = new AdamW([p!]);
    optimizer.load_state_dict({ state, param_groups });
    expect(optimizer.state.get(p!)!.step).toBe(4);
    expect(Object.entries(optimizer.param_groups[0]!).filter(([key]) => key !== 'params')).toEqual([
      ['lr', 0.5],
      ['betas', [0.5, 0.9]],
      ['eps', 1e-3],
      ['weight_decay', 0.25],
      ['amsgrad', false],
      ['maximize', false],
      ['foreach', null],
      ['capturable', false],
      ['differentiable', false],
      ['decoupled_weight_decay', true],
      ['fused', null],
    ]);
    steps(optimizer, [p!], 0, 1);
    expect(optimizer.state.get(p!)!.step).toBe(5);
  });

  test('takes an old SGD’s buffer that was not there yet', () => {
    const [p] = two();
    const optimizer = new SGD([p!], { momentum: 0.5, dampening: 0.5 });
    const { param_groups } = optimizer.state_dict();
    optimizer.load_state_dict({ state: { 0: { momentum_buffer: null } }, param_groups });
    setGrad(p!, 1, 1);
    optimizer.step();
    expect(values(optimizer.state.get(p!)!.momentum_buffer as tf.Tensor)).toEqual([1, 1]);
  });

  test('refuses an option of another kind', () => {
    const optimizer = new SGD(two());
    const { param_groups, state } = optimizer.state_dict();
    const bad = { state, param_groups: [{ ...param_groups[0]!, lr: '0.5' }] };
    expect(() => optimizer.load_state_dict(bad)).toThrowError('SGD: lr must be a number, but got 0.5');
    expect(optimizer.param_groups[0]!.lr).toBe(1e-3);
  });

  test('what was loaded may change afterwards', () => {
    const params = two();
    const optimizer = new Adam(params);
    const saved = optimizer.state_dict();
    optimizer.load_state_dict(saved);
    (saved.param_groups[0]!.betas as number[])[0] = 7;
    expect(optimizer.param_groups[0]!.betas).toEqual([0.9, 0.999]);
  });

  test.each<[string, object, string]>([
    [
      'another shape',
      { step: tf.scalar(1), exp_avg: tf.ones([2]), exp_avg_sq: tf.ones([3]) },
      'exp_avg_sq of parameter 0 has shape [3], the parameter has [2]',
    ],
    [
      'a step that is no count',
      { step: 1.5, exp_avg: tf.ones([2]), exp_avg_sq: tf.ones([2]) },
      'step of parameter 0 must be a whole number, but is 1.5',
    ],
    [
      'numbers in place of a tensor',
      { step: 1, exp_avg: [1, 2], exp_avg_sq: tf.ones([2]) },
      'exp_avg of parameter 0 must be a tensor, but is (1.0, 2)',
    ],
  ])('refuses %s, and nothing is changed', (_, entry, text) => {
    const params = two();
    const optimizer = new Adam(params);
    steps(optimizer, params, 0, 2);
    const saved = optimizer.state_dict();
    const bad = { state: { 1: saved.state[1], 0: entry }, param_groups: [{ ...saved.param_groups[0]!, lr: 7 }] };
    const before = tf.memory();
    expect(() => optimizer.load_state_dict(bad)).toThrowError(`loaded state dict: ${text}`);
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    expect(optimizer.param_groups[0]!.lr).toBe(1e-3);
    expect(optimizer.state.get(params[0]!)!.step).toBe(2);
    expect(values(optimizer.state.get(params[1]!)!.exp_avg as tf.Tensor)).toEqual(
      values((saved.state[1] as Record<string, tf.Tensor>).exp_avg!),
    );
  });
});

describe('implementation flags', () => {
  const p = () => [parameter(1)];
  test('differentiable is refused', () => {
    expect(() => new SGD(p(), { differentiable: true })).toThrowError('SGD: differentiable=True is not supported yet');
  });
  test('foreach and capturable are accepted and kept', () => {
    const optimizer = new Adam(p(), { foreach: true, capturable: true, fused: false });
    optimizer.step();
    expect(optimizer.state_dict().param_groups[0]).toMatchObject({ foreach: true, capturable: true, fused: false });
  });
});

describe('memory', () => {
  const counts = () => {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return { numTensors, numDataBuffers, numBytes };
  };

  test.each(makers)('%s: constant from its second step, dispose gives all back', (_, make) => {
    const params = tf.tidy(() => [parameter(1, 2), parameter(3)]);
    const empty = counts();
    let optimizer!: Optimizer<object>;
    tf.tidy(() => {
      optimizer = make(params);
    });
    const seen: ReturnType<typeof counts>[] = [];
    for (let k = 0; k < 5; k++) {
      tf.tidy(() => {
        tf.add(tf.sum(tf.square(params[0]!)), tf.sum(params[1]!)).backward();
      });
      optimizer.step();
      optimizer.zero_grad();
      seen.push(counts());
    }
    for (const at of seen.slice(2)) expect(at).toEqual(seen[1]);
    const saved = optimizer.state_dict();
    tf.dispose([saved.state, saved.param_groups] as tf.TensorContainer);
    expect(counts()).toEqual(seen[1]);
    optimizer.dispose();
    expect(counts()).toEqual(empty);
    expect(() => optimizer.step()).toThrowError(RuntimeError);
  });

  test('minimize with Parameters leaves nothing, and trains as backward and step do', () => {
    const [p, q] = tf.tidy(() => [parameter(1, 2), parameter(1, 2)]);
    const [first, second] = [new Adam([p!]), new Adam([q!])];
    const seen: ReturnType<typeof counts>[] = [];
    for (let k = 0; k < 4; k++) {
      first.minimize(() => tf.sum(tf.square(p!)), true)!.dispose();
      seen.push(counts());
    }
    for (const at of seen.slice(2)) expect(at).toEqual(seen[1]);
    for (let k = 0; k < 4; k++) {
      second.zero_grad();
      tf.sum(tf.square(q!)).backward();
      second.step();
    }
    expect(values(p!)).toEqual(values(q!));
    expect(p!.grad).toBeNull();
  });

  test('minimize leaves a frozen Parameter as it is', () => {
    const [p, frozen] = [parameter(1), parameter(1)];
    frozen.requires_grad = false;
    new SGD([p, frozen], 0.25).minimize(() => tf.sum(tf.square(tf.mul(p, frozen))));
    expect([...values(p), ...values(frozen)]).toEqual([0.5, 1]);
  });

  test('using disposes', () => {
    const p = tf.tidy(() => parameter(1));
    const before = counts();
    {
      using optimizer = new Adam([p]);
      optimizer.minimize(() => tf.sum(p) as tf.Scalar);
    }
    expect(counts()).toEqual(before);
  });
});
