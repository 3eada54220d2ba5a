import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import { Adam, RMSprop, registerExecutor, SGD, setExecutor } from '@tfjs-torch/optim';
import { afterEach, describe, expect, test } from 'vitest';
import { executors, expectSameBits, fused, needs, withExecutor } from './executors';

const parameter = (shape: number[] = [3, 4], seed = 0) =>
  new Parameter(
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(seed * 7.3 + i * 1.7)),
      shape,
    ),
  );
const giveGrad = (p: Parameter, value = 0.5) => {
  p.grad = tf.fill(p.shape, value) as typeof p.grad;
};
const step = (optimizer: Adam | SGD, p: Parameter) => {
  giveGrad(p);
  optimizer.step();
};
const stateOf = (optimizer: Adam, p: Parameter) => optimizer.state.get(p)!.exp_avg as tf.Tensor;

afterEach(() => setExecutor(null));

describe('which executor', () => {
  test('the fused one of the backend is the default, and says why', (context) => {
    needs(fused, context);
    const { executor } = new Adam([parameter()]);
    expect(executor.name).toBe(fused);
    expect(String(executor)).toBe(`${fused} (the fused one for the backend '${tf.getBackend()}')`);
    expect(new Adam([parameter()], { fused: true }).executor.name).toBe(fused);
  });
  test('setExecutor chooses for all optimizers, built before or after', () => {
    const optimizer = new RMSprop([parameter()]);
    setExecutor('ops');
    expect(String(optimizer.executor)).toBe('ops (chosen by setExecutor)');
    setExecutor(null);
    expect(optimizer.executor.reason).not.toBe('chosen by setExecutor');
  });
  test('fused: false is ops, whatever was chosen', (context) => {
    expect(String(new Adam([parameter()], { fused: false }).executor)).toBe('ops (fused: false)');
    needs(fused, context);
    setExecutor(fused);
    expect(new Adam([parameter()], { fused: false }).executor.name).toBe('ops');
  });
  test('fused: true where ops would run is an error', () => {
    setExecutor('ops');
    const text = "fused=True needs a fused executor, but 'ops' would run (chosen by setExecutor); leave it null";
    expect(() => new Adam([parameter()], { fused: true })).toThrowError(`Adam: ${text}`);
    expect(() => new SGD([{ params: [parameter()], fused: true }]).step()).toThrowError(`SGD: ${text}`);
  });
  test('one that cannot run is an error, and changes nothing', () => {
    registerExecutor({ name: 'mine', unavailable: () => 'it is a Sunday', run: () => {} });
    expect(() => setExecutor('mine' as 'cpu')).toThrowError("The executor 'mine' cannot run: it is a Sunday");
    expect(() => setExecutor('npu' as 'cpu')).toThrowError(
      /^There is no executor 'npu': those that are loaded are 'ops', /,
    );
    expect(new Adam([parameter()]).executor.reason).not.toBe('chosen by setExecutor');
  });
  test('a fused one runs no kernel of tfjs', async (context) => {
    needs(fused, context);
    const [p, q] = [parameter(), parameter([5], 1)];
    const optimizer = new Adam([p, q], { weight_decay: 0.1 });
    for (let k = 0; k < 2; k++) {
      for (const each of [p, q]) giveGrad(each);
      const { kernelNames } = await tf.profile(() => {
        optimizer.step();
        return tf.scalar(0);
      });
      expect(kernelNames).toEqual(k === 0 ? ['Fill'] : []); // the zeros of the first moments
    }
  });
  test('one backend after the other', async (context) => {
    needs(fused, context);
    if (tf.findBackend('cpu') === null || fused === 'cpu') context.skip('there is one only');
    const here = tf.getBackend();
    const [p, q] = [parameter(), parameter()];
    const [optimizer, other] = [new Adam([p]), new Adam([q], { fused: false })];
    for (const backend of [here, 'cpu', here]) {
      tf.setBackend(backend);
      step(optimizer, p);
      expect(optimizer.executor.name).toBe(backend === 'cpu' ? 'cpu' : fused);
      step(other, q);
    }
    expectSameBits(p.dataSync(), q.dataSync());
    expectSameBits(stateOf(optimizer, p).dataSync(), stateOf(other, q).dataSync());
  });
});

/** Ways to hold on to a tensor's values; what they give is read later. */
const holders: Record<string, (t: tf.Tensor) => () => ArrayLike<number>> = Object.fromEntries(
  Object.entries<(t: tf.Tensor) => tf.Tensor>({
    clone: (t) => t.clone(),
    reshape: (t) => tf.reshape(t, [-1]),
    detach: (t) => t.detach(),
    slice: (t) => tf.slice(t, [0, 0], [2, 4]),
    'one of split': (t) => tf.split(t, 3)[1]!,
    cast: (t) => tf.cast(t, 'float32'),
    'a variable': (t) => tf.variable(t),
    'another parameter': (t) => new Parameter(t),
  }).map(([name, hold]) => [
    name,
    (t) => {
      const held = hold(t);
      return () => held.dataSync();
    },
  ]),
);
holders['the array of dataSync'] = (t) => {
  const array = t.dataSync();
  return () => array;
};

describe.each(executors)('%s leaves alone', (name) => {
  let optimizer: Adam;
  let p: Parameter;
  const later = () => {
    for (let k = 0; k < 2; k++) step(optimizer, p);
  };
  const begin = (context: Parameters<typeof needs>[1]) => {
    needs(name, context);
    setExecutor(name);
    p = parameter();
    optimizer = new Adam([p], { lr: 0.1 });
    for (let k = 0; k < 2; k++) step(optimizer, p);
  };

  test.for(Object.entries(holders))('what holds a parameter by %s', ([, hold], context) => {
    begin(context);
    const before = p.dataSync().slice();
    const held = hold(p);
    const values = Float32Array.from(held());
    later();
    expectSameBits(held(), values);
    expect(p.dataSync()).not.toEqual(before);
  });
  test.for(Object.entries(holders))('what holds state by %s', ([, hold], context) => {
    begin(context);
    const before = stateOf(optimizer, p).dataSync().slice();
    step(optimizer, p); // A look at the state makes the next step put it elsewhere: here it is ours again.
    const now = tf.tidy(() => tf.mul(stateOf(optimizer, p), 1).dataSync().slice());
    expect(now).not.toEqual(before);
    step(optimizer, p);
    const held = hold(stateOf(optimizer, p));
    const values = Float32Array.from(held());
    const then = stateOf(optimizer, p).dataSync().slice();
    later();
    expectSameBits(held(), values);
    expect(stateOf(optimizer, p).dataSync()).not.toEqual(then);
  });

  test("a user's typed array", (context) => {
    needs(name, context);
    setExecutor(name);
    const [values, grads] = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)];
    const own = new Parameter(tf.tensor1d(values));
    const grad = tf.tensor1d(grads);
    own.grad = grad as typeof own.grad;
    const sgd = new SGD([own], { lr: 0.5, momentum: 0.9 });
    for (let k = 0; k < 3; k++) sgd.step();
    expect([...values, ...grads, ...grad.dataSync()]).toEqual([1, 2, 3, 4, 5, 6, 4, 5, 6]);
  });
  test('a loaded state dict', (context) => {
    begin(context);
    const saved = optimizer.state_dict();
    const array = Float32Array.from({ length: 12 }, (_, i) => i / 10);
    const loaded = tf.tensor2d(array, [3, 4]);
    const entry = saved.state[0] as Record<string, tf.Tensor>;
    const exp_avg_sq = entry.exp_avg_sq!.dataSync().slice();
    const q = parameter();
    const other = new Adam([q]);
    other.load_state_dict({ ...saved, state: { 0: { ...entry, exp_avg: loaded } } });
    const mine = stateOf(optimizer, p).dataSync().slice();
    for (let k = 0; k < 2; k++) step(other, q);
    expectSameBits(
      array,
      Float32Array.from({ length: 12 }, (_, i) => i / 10),
    );
    expectSameBits(loaded.dataSync(), array);
    expectSameBits(entry.exp_avg_sq!.dataSync(), exp_avg_sq);
    expectSameBits(stateOf(optimizer, p).dataSync(), mine);
    expect(stateOf(other, q).dataSync()).not.toEqual(array);
  });
  test('what backward will need', (context) => {
    begin(context);
    const w = parameter([3, 4], 3);
    const [values, state] = [p.dataSync().slice(), stateOf(optimizer, p).dataSync().slice()];
    const loss = tf.sum(tf.add(tf.square(p), tf.mul(w, stateOf(optimizer, p))));
    const steps = new SGD([p], { lr: 0.1 });
    steps.step();
    step(optimizer, p);
    p.grad = null;
    loss.backward();
    expectSameBits(
      p.grad!.dataSync(),
      values.map((x) => 2 * x),
    );
    expectSameBits(w.grad!.dataSync(), state);
  });
  test('what was held of state, spilled, and comes back', (context) => {
    begin(context);
    const held = stateOf(optimizer, p).clone();
    const before = held.dataSync().slice();
    for (let k = 0; k < 3; k++) later();
    const { tensorInfo } = (tf.engine() as unknown as { state: { tensorInfo: WeakMap<object, unknown> } }).state;
    expect(tensorInfo.has(held.dataId)).toBe(false);
    expectSameBits(held.dataSync(), before);
  });
  test.for<[string, (q: Parameter, adam: Adam) => void, string]>([
    ['disposed', (q, adam) => stateOf(adam, q).dispose(), 'The exp_avg of shape [5] is disposed'],
    [
      'of another shape',
      (q, adam) => {
        adam.state.get(q)!.exp_avg = tf.zeros([4]);
      },
      'The exp_avg has shape [4], the parameter has [5]',
    ],
    [
      'not float32',
      (q, adam) => {
        adam.state.get(q)!.exp_avg = tf.zeros([5], 'int32');
      },
      'The exp_avg must be float32, but is int32',
    ],
  ])('everything, where one state is %s', ([, spoil, text], context) => {
    begin(context);
    const q = parameter([5], 1);
    const both = new Adam([p, q]);
    const go = () => {
      giveGrad(p);
      giveGrad(q);
      both.step();
    };
    go();
    spoil(q, both);
    const before = [p, stateOf(both, p)].map((t) => t.dataSync().slice());
    expect(go).toThrowError(text);
    [p, stateOf(both, p)].forEach((t, i) => {
      expectSameBits(t.dataSync(), before[i]!);
    });
    expect(both.state.get(p)!.step).toBe(1);
  });
  test('the numbers of a model that has been used', (context) => {
    begin(context);
    const x = tf.ones([2, 3]) as tf.Tensor2D;
    const product = () => tf.matMul(x, p as unknown as tf.Tensor2D).dataSync();
    const before = product();
    step(optimizer, p);
    // tfjs-backend-wasm keeps packed weights for each dataId.
    const columns = Float32Array.from({ length: 4 }, (_, j) =>
      [0, 1, 2].reduce((sum, i) => sum + p.dataSync()[4 * i + j]!, 0),
    );
    expect(product()).not.toEqual(before);
    product().forEach((value, j) => {
      expect(value).toBeCloseTo(columns[j % 4]!, 5);
    });
  });
  test('the counts of tensors and bytes', (context) => {
    begin(context);
    giveGrad(p);
    const count = () => {
      const { numTensors, numDataBuffers, numBytes } = tf.memory();
      return { numTensors, numDataBuffers, numBytes };
    };
    optimizer.step();
    const before = count();
    for (let k = 0; k < 5; k++) optimizer.step();
    expect(count()).toEqual(before);
  });
});

/** What may happen between two steps, to an optimizer of three parameters. */
const changes: Record<string, (optimizer: Adam, params: Parameter[]) => void> = {
  'a look at state': (optimizer, [p]) => {
    stateOf(optimizer, p!).dataSync();
  },
  'other state for a parameter': (optimizer, [, p]) => {
    const entry = optimizer.state.get(p!)!;
    optimizer.state.set(p!, { ...entry, step: 1, exp_avg: tf.fill([5], 0.25) });
  },
  'another state tensor': (optimizer, [, p]) => {
    optimizer.state.get(p!)!.exp_avg = tf.fill([5], 0.25);
  },
  'another count of updates': (optimizer, [, p]) => {
    optimizer.state.get(p!)!.step = 7;
  },
  'no state any more': (optimizer) => optimizer.state.clear(),
  'a loaded state dict': (optimizer) => optimizer.load_state_dict(optimizer.state_dict()),
  'another learning rate': (optimizer) => {
    optimizer.param_groups[0]!.lr = 0.01;
  },
  'another trace': (optimizer) => {
    optimizer.param_groups[0]!.maximize = true;
  },
  'a parameter without a gradient': (_, [p]) => {
    p!.grad = null;
  },
  'a parameter less': (optimizer) => {
    optimizer.param_groups[0]!.params.shift();
  },
  'another order': (optimizer) => {
    optimizer.param_groups[0]!.params.reverse();
  },
  'a parameter in place of another': (optimizer) => {
    const p = parameter([5], 9);
    giveGrad(p);
    optimizer.param_groups[0]!.params[1] = p;
  },
  'new values from outside': (_, [p]) => p!.assign(tf.fill([5], 2)),
  'a clone': (_, [p]) => {
    p!.clone();
  },
  'a step of ops': (optimizer) => withExecutor('ops', () => optimizer.step()),
};

describe.each(executors)('%s goes on after', (name) => {
  test.for(Object.entries(changes))('%s', ([, change], context) => {
    needs(name, context);
    /** After each change a step of this optimizer, or of a new one with its state, which knows nothing of the steps before. */
    const run = (anew: boolean) => {
      const params = [0, 1, 2].map((seed) => parameter([5], seed));
      const first = new Adam(params, { lr: 0.1 });
      const [group] = first.param_groups;
      const go = () => {
        setExecutor(name);
        for (const p of group!.params) giveGrad(p as Parameter, 0.5);
      };
      for (let k = 0; k < 3; k++) {
        go();
        first.step();
      }
      go();
      change(first, params);
      setExecutor(name);
      const later = anew ? new Adam([{ ...group!, params: [...group!.params] }]) : first;
      if (anew) later.load_state_dict({ ...first.state_dict(), param_groups: later.state_dict().param_groups });
      for (let k = 0; k < 3; k++) later.step();
      return group!.params.flatMap((p) => [
        p.dataSync().slice(),
        stateOf(later, p as Parameter)
          ?.dataSync()
          .slice(),
      ]);
    };
    const expected = run(true);
    run(false).forEach((values, i) => {
      expectSameBits(values ?? [], expected[i] ?? [], `tensor ${i}`);
    });
  });
});

/** Gradients that share values with what the step writes, of the second of three parameters. */
const entangled: Record<string, (params: Parameter[], optimizer: Adam) => tf.Tensor> = {
  'the parameter itself': ([, p]) => p!,
  'the parameter before': ([p]) => p!,
  'the parameter after': ([, , p]) => p!,
  'the .data of the parameter before': ([p]) => p!.data,
  'a view of the parameter before': ([p]) => p!.view(-1).view(150, 150),
  'the transpose of the parameter before': ([p]) => p!.t(),
  'its own state': ([, p], optimizer) => stateOf(optimizer, p!),
  'state of the parameter before': ([p], optimizer) => stateOf(optimizer, p!),
  'state of the parameter after': ([, , p], optimizer) => stateOf(optimizer, p!),
  'a view of state': ([p], optimizer) => tf.reshape(stateOf(optimizer, p!), [150, 150]),
};

describe.each(executors)('%s reads a gradient before it writes what the gradient is', (name) => {
  test.for(Object.entries(entangled))('%s', ([, make], context) => {
    needs(name, context);
    /** All values after four steps; a gradient of the third is entangled, or has the same values by itself. */
    const run = (executor: typeof name, separate: boolean) =>
      withExecutor(executor, () => {
        // More than ops joins, so that it too updates one after the other.
        const params = [0, 1, 2].map((seed) => parameter([150, 150], seed));
        using optimizer = new Adam(params, { lr: 0.1 });
        for (let k = 0; k < 4; k++) {
          for (const p of params) giveGrad(p, 0.3 + k);
          if (k === 2) {
            const grad = make(params, optimizer);
            params[1]!.grad = separate ? tf.tensor(grad.dataSync().slice(), [150, 150]) : grad;
          }
          optimizer.step();
        }
        return params.flatMap((p) => [p.dataSync().slice(), stateOf(optimizer, p).dataSync().slice()]);
      });
    const expected = run('ops', true);
    run(name, false).forEach((values, i) => {
      expectSameBits(values, expected[i]!, `tensor ${i}`);
    });
  });
});

describe.each(executors)('%s updates', (name) => {
  test.for([[0, 3], [], [1], [4, 2, 2]])('a parameter of shape [%s]', (shape, context) => {
    needs(name, context);
    const run = (executor: typeof name) =>
      withExecutor(executor, () => {
        const p = parameter(shape as number[]);
        const optimizer = new Adam([p], { amsgrad: true, weight_decay: 0.1 });
        for (let k = 0; k < 3; k++) step(optimizer, p);
        expect([p.shape, stateOf(optimizer, p).shape]).toEqual([shape, shape]);
        return [p.dataSync(), stateOf(optimizer, p).dataSync()] as const;
      });
    const [ours, theirs] = [run(name), run('ops')];
    for (const i of [0, 1] as const) expectSameBits(ours[i], theirs[i]);
  });
  test('state in place: its storage stays, unless somebody has looked', (context) => {
    needs(name, context);
    if (name === 'ops') context.skip('makes tensors of its own');
    setExecutor(name);
    const p = parameter();
    const optimizer = new Adam([p]);
    step(optimizer, p);
    const storage = () => (stateOf(optimizer, p) as unknown as { _storage: object })._storage;
    const first = storage();
    step(optimizer, p);
    expect(storage()).toBe(first);
    stateOf(optimizer, p).dataSync();
    step(optimizer, p);
    expect(storage()).not.toBe(first);
  });
});
