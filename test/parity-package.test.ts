import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { ExponentialLR } from '@tfjs-torch/lr-scheduler';
import * as nn from '@tfjs-torch/nn';
import * as optim from '@tfjs-torch/optim';
import {
  compare,
  type HostTensor,
  type Loss,
  parse,
  record,
  reference,
  relativeError,
  replay,
  stringify,
  type Trace,
  teacherForced,
  ulpDistance,
} from '@tfjs-torch/parity';
import { describe, expect, test } from 'vitest';
import { withAllState } from './optim/all-state';
import { tolerances } from './tolerances';

const folder = new URL('./golden/parity/', import.meta.url);
const read = (name: string) => readFileSync(new URL(`${name}.json`, folder), 'utf8');
const goldenOf = (name: string) => parse(read(name));

/** The models of scripts/golden/parity.py. */
class Net extends nn.Module {
  hidden = new nn.Linear(3, 4);
  out = new nn.Linear(4, 2);
  unused = new torch.Parameter(torch.zeros(2));
  declare scale: tf.Tensor;
  constructor() {
    super();
    this.register_buffer('scale', torch.tensor([1, 2]));
  }
  forward(x: tf.Tensor) {
    return this.out(torch.relu(this.hidden(x))).mul(this.scale);
  }
}

interface Setup {
  model: nn.Module;
  optimizer: optim.Optimizer<object>;
  loss: Loss<[tf.Tensor, tf.Tensor]>;
  after_backward?: () => void;
}

const ofNet = (make: (net: Net) => optim.Optimizer<object>) => (): Setup => {
  const model = new Net();
  return { model, optimizer: make(model), loss: (x, y) => nn.functional.cross_entropy(model(x), y) };
};

/** As in scripts/golden/parity.py. */
const setups: Record<string, () => Setup> = {
  ...Object.fromEntries(
    Object.entries(withAllState).map(([name, make]) => [name, ofNet((net) => make(net.parameters()))]),
  ),
  SGD: () => {
    const setup = ofNet((net) => withAllState.SGD(net.parameters()))();
    const clip = () => {
      for (const p of setup.model.parameters()) p.grad?.clamp_(-0.05, 0.05);
    };
    return { ...setup, after_backward: clip };
  },
  Adam: ofNet(({ hidden, out, unused }) =>
    withAllState.Adam([
      { params: [out.weight, out.bias!], lr: 0.05 },
      { params: [hidden.weight, unused, hidden.bias!] },
    ]),
  ),
  Muon: ofNet(({ hidden, out }) => withAllState.Muon([hidden.weight, out.weight])),
  SparseAdam: () => {
    const model = new nn.Embedding(6, 3, { sparse: true });
    const optimizer = withAllState.SparseAdam(model.parameters());
    return { model, optimizer, loss: (ids) => model(ids).square().sum() };
  },
};

/** Torch's class by name. */
const optimizerOf = (name: string) => {
  const value: unknown = (optim as Record<string, unknown>)[name];
  return typeof value === 'function' && 'declaration' in value ? value : null;
};

const force = (golden: Trace, { model, optimizer, loss, after_backward }: Setup) =>
  teacherForced(golden, model, optimizer, loss, { after_backward });

describe('teacherForced', () => {
  test.each(Object.entries(setups))("%s: one step from each of torch's states", (name, setUp) => {
    const golden = goldenOf(name);
    const compared = compare(force(golden, setUp()), golden);
    expect(compared.above(tolerances.parityStep)).toEqual([]);
    expect(new Set(compared.rows.map(({ kind }) => kind)).size).toBe(6);
  });

  test('every optimizer has a golden, and every golden a setup', () => {
    const classes = Object.keys(optim).filter((name) => optimizerOf(name) !== null);
    expect(Object.keys(setups).sort()).toEqual(classes.sort());
    expect(readdirSync(folder).sort()).toEqual(classes.map((name) => `${name}.json`));
    for (const name of classes)
      expect(goldenOf(name).head).toMatchObject({ format: 1, optimizer: { name }, seed: 0, threads: 1 });
  });

  test('without an optimizer it compares losses and gradients', () => {
    const golden = goldenOf('Adam');
    const { model, loss } = setups.Adam!();
    const trace = teacherForced(golden, model, null, loss);
    expect(compare(trace, golden, { only: ['loss', 'grad'] }).within(tolerances.parityStep)).toBe(true);
    expect(() => compare(trace, golden)).toThrow(/step 0: the state after it was not recorded/);
  });

  test('a step that is not torch’s is seen', () => {
    const golden = goldenOf('AdamW');
    const { model, optimizer, loss } = ofNet((net) => new optim.AdamW(net.parameters(), { lr: 0.01 }))();
    optimizer.register_step_post_hook(() => {
      for (const p of model.parameters()) p.data.mul_(1.0001);
    });
    const compared = compare(teacherForced(golden, model, optimizer, loss), golden);
    expect(new Set(compared.above(tolerances.parityStep).map(({ kind }) => kind))).toEqual(new Set(['model']));
  });

  test('a golden of another model is refused, and one of other groups', () => {
    const { model, optimizer, loss } = setups.Adam!();
    expect(() => force(goldenOf('SparseAdam'), { model, optimizer, loss })).toThrow(/Missing key\(s\) in state_dict: /);
    expect(() => force(goldenOf('SGD'), { model, optimizer, loss })).toThrow(
      'the optimizer has 2 param groups, and in the golden 1',
    );
    const other = ofNet((net) => new optim.Adam([net.hidden.weight], 0.01))();
    expect(() => force(goldenOf('AdamW'), other)).toThrow(
      'group 0 of the optimizer holds hidden.weight, and in the golden unused, hidden.weight, ',
    );
    expect(() => record(new Net(), optimizer, loss, [])).toThrow(
      "parameter 0 of the optimizer's group 0 is not one of the model's",
    );
  });
});

const batchesOf = (golden: Trace) =>
  golden.steps.map(({ inputs }) => {
    const [x, y] = inputs as readonly HostTensor[];
    return [tf.tensor2d([...x!.data], [5, 3]), tf.tensor1d([...y!.data], 'int32')] as [tf.Tensor, tf.Tensor];
  });

/** Our own run of scripts/golden/parity.py's AdamW. */
function recorded(options: Parameters<typeof record>[4] = {}) {
  const golden = goldenOf('AdamW');
  const { model, optimizer, loss } = setups.AdamW!();
  const { data, shape } = golden.steps[0]!.before.model['hidden.weight']!;
  teacherForced({ ...golden, steps: golden.steps.slice(0, 1) }, model, null, loss); // takes torch's start
  expect(Array.from((model as Net).hidden.weight.dataSync())).toEqual([...data]);
  expect((model as Net).hidden.weight.shape).toEqual(shape);
  const scheduler = new ExponentialLR(optimizer, 0.5);
  function* batches() {
    for (const batch of batchesOf(golden)) {
      yield batch;
      scheduler.step();
    }
  }
  return { golden, trace: record(model, optimizer, loss, batches(), options) };
}

describe('record', () => {
  test('is the twin of record.py: a run of the same start and batches', () => {
    const { golden, trace } = recorded();
    expect(compare(trace, golden).above(tolerances.parityStep)).toEqual([]);
    expect(Object.keys(trace.head)).toEqual(Object.keys(golden.head));
    expect(trace.steps.map((step) => Object.keys(step).sort())).toEqual(
      golden.steps.map((step) => Object.keys(step).sort()),
    );
    expect(trace.steps.map(({ param_groups }) => param_groups![0]!.lr)).toEqual([0.01, 0.005, 0.0025]);
    expect(trace.head).toMatchObject({ format: 1, torch: null, dtype: 'float32', optimizer: { name: 'AdamW' } });
    expect(trace.head.tfjs).toContain(process.env.TFJS_TORCH_BACKEND);
    expect(parse(stringify(trace))).toEqual(trace);
  });

  test('keeps the steps that are asked for, and takes them all', () => {
    const [{ trace: all }, { trace: some }] = [recorded(), recorded({ keep: (step) => step === 2 })];
    expect(some.steps).toEqual([all.steps[2]]);
    expect(compare(some, { ...all, steps: all.steps.slice(2) }).worst).toBe(0);
    expect(parse(stringify(some)).steps).toEqual(some.steps);
  });

  test('refuses what a trace cannot hold, a loss that is async, and an optimizer that does not call its closure', () => {
    const model = new nn.Linear(1, 1);
    const loss = (x: tf.Tensor) => model(x).sum();
    const sgd = new optim.SGD(model.parameters(), 0.1);
    const batch = [torch.ones(1, 1)] as [tf.Tensor];
    expect(() => record(model, sgd, (x, _) => loss(x), [[...batch, () => 1]] as [tf.Tensor, unknown][])).toThrow(
      'a trace cannot hold input 1, a function',
    );
    const later = (async (x: tf.Tensor) => loss(x)) as unknown as typeof loss;
    expect(() => record(model, sgd, later, [batch])).toThrow(
      'must be a tensor, and not async, but it is [object Promise]',
    );
    class Deaf extends optim.Optimizer<object> {
      override step() {
        return null;
      }
    }
    expect(() => record(model, new Deaf(model.parameters(), {}), loss, [batch])).toThrow(
      'Deaf.step() did not call its closure',
    );
  });
});

/** A trace has no sparse gradients, which SparseAdam needs. */
const rules = Object.keys(setups).flatMap((name) => {
  const Class = optimizerOf(name)!;
  return 'rule' in Class && name !== 'SparseAdam' ? [[name, Class as { rule: object }] as const] : [];
});
describe('memory', () => {
  const counts = () => {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return { numTensors, numDataBuffers, numBytes };
  };
  test.each<[string, (golden: Trace, setup: Setup) => unknown]>([
    ['teacherForced', force],
    ['teacherForced without an optimizer', (golden, { model, loss }) => teacherForced(golden, model, null, loss)],
    ['replay', (golden, { model, optimizer }) => replay(golden, model, optimizer)],
    ['reference', (golden) => reference(golden, optim.AdamW)],
  ])('%s leaves nothing behind', (_, run) => {
    const golden = goldenOf('AdamW');
    const setup = setups.AdamW!();
    for (let i = 0; i < 2; i++) run(golden, setup);
    const before = counts();
    for (let i = 0; i < 2; i++) run(golden, setup);
    expect(counts()).toEqual(before);
  });
});

describe('without a model', () => {
  test.each(rules)('%s: replay and reference take torch’s gradients', (name, Class) => {
    const golden = goldenOf(name);
    const { model, optimizer } = setups[name]!();
    const replayed = replay(golden, model, optimizer);
    expect(compare(replayed, golden).above(tolerances.optimOps)).toEqual([]);
    const exact = reference(golden, Class);
    expect(exact.head.dtype).toBe('float64');
    expect(compare(exact, golden).above(tolerances.optimOps)).toEqual([]);
  });
});

type Path = readonly (string | number)[];
/** A golden with one value changed, or deleted: `undefined`. */
function tampered(golden: Trace, path: Path, change: (value: never) => unknown): Trace {
  const copy = structuredClone(golden);
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], copy) as Record<
    string,
    unknown
  >;
  const key = path.at(-1)!;
  const value = change(parent[key] as never);
  if (value === undefined) delete parent[key];
  else parent[key] = value;
  return copy;
}
const nudge = (by: number) => (t: HostTensor) => ({ ...t, data: t.data.map((x, i) => (i === 1 ? x + by : x)) });
const last = ['steps', 2, 'after'];
const gone = () => undefined;

describe('compare', () => {
  const golden = goldenOf('Adam');
  const same = () => structuredClone(golden);

  test('finds no distance between a golden and itself', () => {
    const compared = compare(same(), golden);
    expect(compared.worst).toBe(0);
    expect(compared.within(0)).toBe(true);
    // 3 batches of 2, 3 losses, gradients but one, a start and 3 ends of 6 tensors, 4 parameters' states of 4, 5 options of 2 groups.
    expect(compared.rows.length).toBe(6 + 3 + 12 + 24 + 48 + 30);
  });

  test.each<
    [string, Path, (value: never) => unknown, Partial<Record<'kind' | 'name' | 'step' | 'at' | 'before', unknown>>]
  >([
    ['a parameter', [...last, 'model', 'out.bias'], nudge(1e-3), { kind: 'model', name: 'out.bias', step: 2, at: 1 }],
    ['a buffer', [...last, 'model', 'scale'], nudge(1e-3), { kind: 'model', name: 'scale' }],
    [
      'a state',
      [...last, 'state', 'out.bias', 'exp_avg'],
      nudge(1e-3),
      { kind: 'state', name: 'out.bias exp_avg', at: 1 },
    ],
    ['a count', [...last, 'state', 'out.bias', 'step'], () => 4, { kind: 'state', name: 'out.bias step', at: 0 }],
    ['a gradient', ['steps', 1, 'grads', 'hidden.bias'], nudge(1e-3), { kind: 'grad', name: 'hidden.bias', step: 1 }],
    ['a batch', ['steps', 0, 'inputs', 0], nudge(1e-3), { kind: 'input', name: '[0]', step: 0 }],
    ['a loss', ['steps', 0, 'loss'], () => 0.5, { kind: 'loss', name: '', step: 0 }],
    ['an option', ['steps', 1, 'param_groups', 0, 'lr'], () => 0.5, { kind: 'option', name: '[0] lr', step: 1 }],
    ['a start', ['steps', 0, 'before', 'model', 'out.bias'], nudge(1e-3), { kind: 'model', before: true, step: 0 }],
    ['a NaN', [...last, 'model', 'out.bias'], nudge(Number.NaN), { kind: 'model', name: 'out.bias', at: 1 }],
    ['an infinity', [...last, 'model', 'out.bias'], nudge(Number.POSITIVE_INFINITY), { kind: 'model', at: 1 }],
  ])('%s that differs is the farthest', (_, path, change, row) => {
    for (const compared of [
      compare(same(), tampered(golden, path, change)),
      compare(tampered(golden, path, change), golden),
    ]) {
      expect(compared.rows[0]).toMatchObject(row);
      expect(compared.within(1e-5)).toBe(false);
      expect(compared.above(0)).toHaveLength(1);
    }
  });

  test.each<[string, Path, (value: never) => unknown, string]>([
    ['a parameter is missing', [...last, 'model', 'out.bias'], gone, 'step 2: out.bias is missing'],
    ['a state is missing', [...last, 'state', 'out.bias'], gone, 'step 2: state of out.bias is missing'],
    [
      'an entry of a state is missing',
      [...last, 'state', 'out.bias', 'exp_avg'],
      gone,
      'step 2: state of out.bias exp_avg is missing',
    ],
    ['a gradient is missing', ['steps', 0, 'grads', 'out.bias'], gone, 'step 0: gradient of out.bias is missing'],
    [
      'there is no gradient',
      ['steps', 0, 'grads', 'out.bias'],
      () => null,
      'step 0: gradient of out.bias is null, and in the golden a tensor [2]',
    ],
    ['the loss is missing', ['steps', 0, 'loss'], () => null, 'step 0: loss is null, and in the golden 0.'],
    [
      'a shape differs',
      [...last, 'model', 'out.bias'],
      (t: HostTensor) => ({ ...t, shape: [2, 1] }),
      'step 2: out.bias is a tensor [2,1], and in the golden a tensor [2]',
    ],
    [
      'a flag differs',
      ['steps', 1, 'param_groups', 1, 'amsgrad'],
      () => false,
      'step 1: option [1] amsgrad is false, and in the golden true',
    ],
    ['an option is missing', ['steps', 1, 'param_groups', 1, 'eps'], gone, 'step 1: option [1] eps is missing'],
    [
      'a group is missing',
      ['steps', 1, 'param_groups'],
      (groups: unknown[]) => groups.slice(1),
      'step 1: option is a list of 1',
    ],
    [
      'parameters are in another group',
      ['steps', 1, 'param_groups', 1, 'params', 0],
      () => 'out.bias',
      'step 1: option [1] params[0] is "out.bias"',
    ],
    [
      'a step is missing',
      ['steps'],
      (steps: unknown[]) => steps.slice(1),
      'the steps are 1, 2, and in the golden 0, 1, 2',
    ],
    ['it was not recorded', [...last, 'state'], () => null, 'step 2: the state after it was not recorded'],
  ])('it is an error if %s', (_, path, change, text) => {
    expect(() => compare(tampered(golden, path, change), golden)).toThrow(text);
  });

  test('it is an error if there is more than in the golden', () => {
    const less = tampered(golden, [...last, 'model', 'out.bias'], gone);
    expect(() => compare(golden, less)).toThrow(
      'the trace does not fit the golden:\n\tstep 2: out.bias is not in the golden',
    );
  });

  test('hints at the implementation may differ, and what the golden lacks is not compared', () => {
    expect(
      compare(
        tampered(golden, ['steps', 1, 'param_groups', 0, 'foreach'], () => false),
        golden,
      ).worst,
    ).toBe(0);
    expect(
      compare(
        golden,
        tampered(golden, ['steps', 0, 'loss'], () => null),
      ).rows,
    ).toHaveLength(122);
  });

  test('NaN is equal to NaN alone', () => {
    const broken = tampered(golden, [...last, 'model', 'out.bias'], nudge(Number.NaN));
    expect(compare(structuredClone(broken), broken).worst).toBe(0);
    expect(compare(golden, broken).worst).toBe(Number.POSITIVE_INFINITY);
  });

  test('nothing to compare is an error', () => {
    expect(() => compare({ ...golden, steps: [] }, { ...golden, steps: [] })).toThrow('there is nothing to compare');
    expect(() => compare(golden, golden, { only: [] })).toThrow('there is nothing to compare');
  });

  test('a tolerance may differ by kind, and a kind that is left out must be equal', () => {
    const compared = compare(tampered(golden, [...last, 'model', 'out.bias'], nudge(1e-3)), golden);
    expect([compared.within({ model: 1e-2 }), compared.within({ model: 1e-6 }), compared.within({ grad: 1 })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('a report names golden, kinds and the farthest', () => {
    const { torch: version, cpu } = golden.head;
    const change = (t: HostTensor) => ({ ...t, data: Float32Array.of(1, 2 + 2 ** -22) });
    const text = String(compare(tampered(golden, [...last, 'model', 'scale'], change), golden));
    expect(text).toBe(
      [
        `3 steps beside torch ${version}, ${cpu}, 1 threads, seed 0, float32`,
        '          tensors  equal  relative  ulp',
        '  input   6        6      0         0',
        '  loss    3        3      0         0',
        '  grad    12       12     0         0',
        '  model   24       23     1.2e-7    1',
        '  state   48       48     0         0',
        '  option  30       30     0         0',
        '',
        'farthest:',
        '  step 2: scale  1.2e-7  1 ulp  [1] 2.000000238418579, golden 2',
      ].join('\n'),
    );
  });
});

describe('distances', () => {
  const inf = Number.POSITIVE_INFINITY;
  test.each<[number[], number[], number]>([
    [[1, 2], [1, 2], 0],
    [[1, 2.5], [1, 2], 0.25],
    [[1, Number.NaN], [1, Number.NaN], 0],
    [[1, Number.NaN], [1, 2], inf],
    [[1, 2], [1, Number.NaN], inf],
    [[1, inf], [1, inf], 0],
    [[1, inf], [1, -inf], inf],
    [[1, 3], [1, inf], inf],
    [[1], [1, 2], inf],
    [[1e-9], [0], inf],
    [[0], [-0], 0],
    [[], [], 0],
  ])('relativeError(%j, %j) is %d', (actual, expected, distance) => {
    expect(relativeError(actual, expected)).toBe(distance);
  });

  test.each<[number, number, 'float32' | 'float64', number]>([
    [1, 1 + 2 ** -23, 'float32', 1],
    [1, 1 - 2 ** -24, 'float32', 1],
    [1, 1 + 2 ** -52, 'float64', 1],
    [1, 1 + 2 ** -23, 'float64', 2 ** 29],
    [0, -0, 'float32', 0],
    [2 ** -149, -(2 ** -149), 'float32', 2],
    [5e-324, -5e-324, 'float64', 2],
    [1, 2, 'float32', 2 ** 23],
    [Number.NaN, Number.NaN, 'float32', 0],
    [Number.NaN, 1, 'float64', inf],
    [inf, 3.4028234663852886e38, 'float32', inf],
  ])('ulpDistance(%d, %d, %s) is %d', (a, b, dtype, distance) => {
    expect([ulpDistance(a, b, dtype), ulpDistance(b, a, dtype)]).toEqual([distance, distance]);
  });
});

describe('the format', () => {
  test.each(Object.keys(setups))('%s: what record.py wrote is what we write', (name) => {
    const golden = goldenOf(name);
    expect(parse(stringify(golden))).toEqual(golden);
    const keys = (text: string) =>
      (JSON.parse(text) as { steps: object[] }).steps.map((step) => Object.keys(step).sort());
    expect(keys(stringify(golden))).toEqual(keys(read(name)));
    expect(golden.steps[1]!.before).toBe(golden.steps[0]!.after);
  });

  test('large tensors are base64 of little-endian numbers, and so is what JSON has no number for', () => {
    const golden = goldenOf('SparseAdam');
    const large: HostTensor = {
      dtype: 'float64',
      shape: [65],
      data: Float64Array.from({ length: 65 }, (_, i) => Math.sin(i)),
    };
    const odd: HostTensor = {
      dtype: 'float32',
      shape: [2, 2],
      data: Float32Array.of(Number.NaN, -0, Number.POSITIVE_INFINITY, 1),
    };
    const flags: HostTensor = { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) };
    const empty: HostTensor = { dtype: 'int32', shape: [0, 3], data: new Int32Array(0) };
    const inputs = [
      large,
      odd,
      flags,
      empty,
      Number.NaN,
      -0,
      Number.NEGATIVE_INFINITY,
      'text',
      null,
      true,
      { a: [1, odd] },
    ];
    const trace = { ...golden, steps: [{ ...golden.steps[0]!, inputs }] };
    const text = stringify(trace);
    expect(parse(text)).toEqual(trace);
    expect(text).toContain(`"data":"${Buffer.from(odd.data.buffer).toString('base64')}"`);
    expect(text).toContain(`"data":"${Buffer.from(large.data.buffer).toString('base64')}"`);
    expect(text).toContain('"data":[1,0]');
  });

  test.each<[string, (file: { head: object; steps: object[] }) => unknown, string]>([
    [
      'another version',
      ({ head, steps }) => ({ head: { ...head, format: 2 }, steps }),
      'golden: the format is 2, and this reads 1',
    ],
    ['no head', ({ steps }) => ({ steps }), 'golden: the format is undefined, and this reads 1'],
    ['no steps', ({ head }) => ({ head }), 'golden: there are no steps'],
    [
      'no start',
      ({ head, steps }) => ({ head, steps: steps.slice(1) }),
      'golden: the step at 0 has nothing to begin with',
    ],
    [
      'no optimizer',
      ({ head, steps }) => ({ head: { ...head, optimizer: undefined }, steps }),
      'golden: the head lacks optimizer',
    ],
    [
      'half a step',
      ({ head, steps }) => ({ head, steps: [{ ...steps[0], grads: undefined, after: undefined }] }),
      'golden: the step at 0 lacks grads, after',
    ],
  ])('a file with %s is refused', (_, change, text) => {
    expect(() => parse(JSON.stringify(change(JSON.parse(read('Adam')))))).toThrow(text);
  });

  test.each([
    [/"shape":\[4,2\],"data":\[[^,]+,/, '"shape":[4,2],"data":[', 'a tensor of shape [4,2] has 7 values'],
    [/"dtype":"float32"/, '"dtype":"float8"', 'a tensor has dtype float8, which is none of float64,float32,int32,bool'],
    [/"data":\[[^\]]+\]/, '"data":"AAAA"', 'has 0 values'],
  ])('a broken tensor is refused: %s', (found, put, text) => {
    const broken = read('Adam')
      .replace(/"shape":\[2,4\]/g, '"shape":[4,2]')
      .replace(new RegExp(found, 'g'), put);
    expect(broken).not.toBe(read('Adam'));
    expect(() => parse(broken)).toThrow(text);
  });
});
