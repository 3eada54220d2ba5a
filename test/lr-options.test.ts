import * as tf from '@tensorflow/tfjs-core';
import { catch_warnings, Parameter } from '@tfjs-torch/core';
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  LRScheduler,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
  SWALR,
} from '@tfjs-torch/lr-scheduler';
import { Adam, Optimizer, SGD } from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import {
  addGroup,
  build,
  golden,
  make,
  momenta,
  optimizerOf,
  quiet,
  type Row,
  rates,
  stepOnce,
  stepsOf,
} from './lr-rows';
import { relativeError, tolerances } from './tolerances';

const parameter = () => new Parameter(tf.ones([1]));
const sgd = (lr = 1) => new SGD([parameter()], lr);
// Steps never meet these epochs, so the chained form goes another way than the closed one, in torch too.
const neverMet = ({ kwargs: { step_size, milestones, total_iters } }: Row) =>
  step_size === 2.5 || (milestones as number[])?.includes(7.5) || total_iters === 0;

type Make = new (...args: unknown[]) => LRScheduler;

// What goes beyond torch: options of our own, or an answer in place of an error.

describe('lr_at and preview tell the undisturbed trace and change nothing', () => {
  const rows = golden.traces.filter(
    (row) => row.resumes && !row.by_hand && !row.metrics && !JSON.stringify(row.kwargs).includes('last_epoch'),
  );
  test.each(rows.map((row, i) => [`${i} ${row.name} ${JSON.stringify(row.children ?? row.kwargs)}`, row] as const))(
    '%s',
    (_, row) => {
      const { optimizer, scheduler } = quiet(() => build(row));
      // The first of two schedulers that change the base rates is undone by the constructor of the second.
      quiet(() => {
        for (let k = 0; k < 7; k++) stepOnce(row, k, { optimizer, scheduler });
      });
      const before = JSON.stringify([optimizer.param_groups.map(({ params, ...g }) => g), scheduler.state_dict()]);
      const warnings = catch_warnings(() => {
        const preview = scheduler.preview(row.trace.length);
        preview.forEach((lrs, t) => {
          expect(relativeError(lrs, row.trace[t]!)).toBeLessThanOrEqual(tolerances.learningRate);
        });
        for (const t of [0, 1, 5, 23, 60]) {
          // Relative to the base: a closed form and a product differ in the last bits of it, also where the rate is near 0.
          if (neverMet(row)) break;
          const base = Math.max(...row.trace.flat());
          scheduler.lr_at(t).forEach((lr, i) => {
            expect(Math.abs(lr - row.trace[t]![i]!) / base).toBeLessThanOrEqual(tolerances.learningRate);
          });
        }
      });
      expect(warnings).toEqual([]);
      expect(JSON.stringify([optimizer.param_groups.map(({ params, ...g }) => g), scheduler.state_dict()])).toBe(
        before,
      );
    },
  );

  test('of many rows', () => expect(rows.length).toBe(315));

  test('not of a plateau, nor of what holds one', () => {
    const o = sgd();
    const plateau = new ReduceLROnPlateau(o);
    const chain = new ChainedScheduler([new ExponentialLR(o, 0.9), plateau]);
    for (const s of [plateau, chain]) {
      expect(() => s.preview(3)).toThrowError('ReduceLROnPlateau follows its metrics');
      expect(() => s.lr_at(3)).toThrowError('ReduceLROnPlateau follows its metrics');
    }
  });

  test('of a scheduler of the user’s own', () => {
    class Falling extends LRScheduler {
      override get_lr() {
        return this.base_lrs.map((base) => base / (1 + this.last_epoch));
      }
    }
    const s = new Falling(sgd(6));
    expect(s.preview(3)).toEqual([[6], [3], [2]]);
    expect(s.lr_at(5)).toEqual([1]);
  });
});

describe('what torch takes and crashes by later is refused, and nothing is changed', () => {
  test.each<[string, Function, unknown[], string]>([
    ['a step size of 0', StepLR, [0], 'step_size must be above 0, but is 0'],
    ['no number for a step size', StepLR, ['3'], 'step_size must be above 0, but is 3'],
    ['no number for gamma', StepLR, [3, '0.1'], 'gamma must be a number, but is 0.1'],
    ['a factor of 0, which is divided by', ConstantLR, [0], 'factor must be above 0, but is 0'],
    ['no epochs to rise in', LinearLR, [0.5, 1, 0], 'total_iters must be above 0, but is 0'],
    ['no epochs to fall in', PolynomialLR, [0], 'total_iters must be above 0, but is 0'],
    ['a half wave of no length', CosineAnnealingLR, [0], 'T_max must be above 0, but is 0'],
    ['no number for gamma', ExponentialLR, [null], 'gamma must be a number, but is null'],
    ['no number for a milestone', MultiStepLR, [['3']], 'milestone must be a number, but is 3'],
    ['no function', LambdaLR, [3], 'lr_lambda should be a function, but got int'],
    ['no step up', CyclicLR, [0.1, 1, 0], 'step_size_up must be above 0, but is 0'],
    ['one step up', OneCycleLR, [1, 10, { pct_start: 0.1 }], 'pct_start * total_steps must not be 1'],
    [
      'an unknown option',
      StepLR,
      [3, { gama: 1 }],
      "StepLR.__init__() got an unexpected keyword argument 'gama'. Did you mean 'gamma'?",
    ],
  ])('%s: %s', (_, Class, args, text) => {
    const optimizer = new SGD([parameter()], 1, 0.5);
    expect(() => new (Class as unknown as Make)(optimizer, ...args)).toThrowError(text);
    expect(optimizer.param_groups[0]).toMatchObject({ lr: 1, momentum: 0.5 });
    expect('initial_lr' in optimizer.param_groups[0]!).toBe(false);
  });

  test('milestones that fall', () => {
    const o = sgd();
    const three = [1, 2, 3].map(() => new ExponentialLR(o, 0.9));
    expect(() => new SequentialLR(o, three, [7, 3])).toThrowError('milestones must not fall, but are 7, 3');
  });

  test('the last phase of no length is held, where torch divides by 0', () => {
    const o = sgd();
    const s = new OneCycleLR(o, 1, 4, { pct_start: 1 });
    for (let k = 0; k < 4; k++) quiet(() => s.step());
    expect(rates(o)[0]).toBeCloseTo(s.lr_at(0)[0]! / 1e4, 12);
  });
});

test('OneCycleLR holds past the end with hold_at_end', () => {
  const run = (hold_at_end: boolean, steps: number) => {
    const o = sgd();
    const s = new OneCycleLR(o, 1, 10, { hold_at_end });
    quiet(() => {
      for (let k = 0; k < steps; k++) s.step();
    });
    return rates(o)[0]!;
  };
  const last = run(false, 9);
  expect(last).toBeCloseTo(0.04 / 1e4, 15);
  expect(run(false, 10)).toBeGreaterThan(100 * last); // torch's jump
  expect(() => run(false, 11)).toThrowError('Tried to step 11 times. The specified number of total steps is 10');
  for (const steps of [9, 10, 11, 50]) expect(run(true, steps)).toBe(last);
});

describe('diagnostics', () => {
  /** Runs `deeds`: O steps the optimizer, S the scheduler, N makes a gradient that is not finite. */
  function warned(deeds: string, make: (o: SGD) => LRScheduler) {
    const p = parameter();
    const o = new SGD([p], 1);
    const s = make(o);
    return catch_warnings(() => {
      for (const deed of deeds) {
        if (deed === 'O') o.step();
        else if (deed === 'N') p.grad = tf.tensor1d([Number.NaN]);
        else if (deed === 'G') p.grad = tf.tensor1d([1]);
        else if (deed === 'Z') o.zero_grad();
        else if (deed === 'X') o.step = (() => null) as typeof o.step;
        else s.step(0.5);
      }
    }).map((w) => w.message);
  }
  const options = { diagnostics: true };
  const kinds: [string, (o: SGD) => LRScheduler][] = [
    ['LambdaLR', (o) => new LambdaLR(o, (t) => 1 / (1 + t), options)],
    ['CosineAnnealingWarmRestarts', (o) => new CosineAnnealingWarmRestarts(o, 5, options)],
    ['ReduceLROnPlateau', (o) => new ReduceLROnPlateau(o, options)],
    ['ChainedScheduler', (o) => new ChainedScheduler([new ExponentialLR(o, 0.9), new StepLR(o, 3)], options)],
    ['SequentialLR', (o) => new SequentialLR(o, [new ExponentialLR(o, 0.9), new StepLR(o, 3)], [2], options)],
  ];
  const withoutEpoch = (messages: string[]) => messages.filter((m) => !m.startsWith('The epoch parameter'));
  for (const [name, make] of kinds) {
    test.each([
      ['in order', 'OSOSOSOS', 0],
      ['once for several', 'OOOSOOOS', 0],
      ['the scheduler first', 'SOSOSO', 1],
      ['from the third on', 'OSOSSSOSS', 1],
      ['a step that a bad gradient skipped, the first', 'NSZGOSZGOS', 0],
      ['a step that a bad gradient skipped, later', 'GOSZNSNSZGOS', 0],
      ['a step that was forgotten', 'GOSZGSZGOS', 1],
    ] as const)(`${name}: %s`, (_, deeds, count) => {
      const messages = withoutEpoch(warned(deeds, make));
      expect(messages.length).toBe(count);
      if (count) expect(messages[0]).toMatch(new RegExp(`^${name}\\.step\\(\\) to epoch .* is not preceded`));
    });
  }
  test('torch’s warning of a step that was overridden stays', () => {
    expect(withoutEpoch(warned('XOS', kinds[0]![1]))).toEqual([expect.stringContaining('has been overridden')]);
  });
  test('without them it is torch’s one', () => {
    expect(withoutEpoch(warned('SOSS', (o) => new LambdaLR(o, () => 1)))).toEqual([
      expect.stringContaining('Detected call of `lr_scheduler.step()` before'),
    ]);
  });
});

describe('composites take a ReduceLROnPlateau', () => {
  const metrics = [5, 4, 4, 4, 3, 3, 3, 3, 3, 3];

  test('a chain multiplies', () => {
    const o = sgd();
    const alone = sgd();
    const plateau = new ReduceLROnPlateau(alone, { patience: 1, factor: 0.5 });
    const s = new ChainedScheduler([new ExponentialLR(o, 0.9), new ReduceLROnPlateau(o, { patience: 1, factor: 0.5 })]);
    quiet(() => {
      metrics.forEach((m, k) => {
        s.step(m);
        plateau.step(m);
        expect(relativeError(rates(o), [rates(alone)[0]! * 0.9 ** (k + 1)])).toBeLessThan(tolerances.learningRate);
        expect(s.get_last_lr()).toEqual(rates(o));
      });
    });
    expect(rates(alone)).toEqual([0.125]);
  });

  test.each([
    [
      'after a warm-up',
      (o: SGD) =>
        new SequentialLR(o, [new LinearLR(o, 0.25, 1, 3), new ReduceLROnPlateau(o, { patience: 0, factor: 0.5 })], [3]),
    ],
    [
      'in a chain after a warm-up',
      (o: SGD) =>
        new SequentialLR(
          o,
          [new LinearLR(o, 0.25, 1, 3), new ChainedScheduler([new LambdaLR(o, () => 1), new ReduceLROnPlateau(o)])],
          [3],
        ),
    ],
    [
      'first',
      (o: SGD) =>
        new SequentialLR(o, [new ReduceLROnPlateau(o, { patience: 0, factor: 0.5 }), new ExponentialLR(o, 0.5)], [4]),
    ],
    [
      'first in a chain',
      (o: SGD) =>
        new SequentialLR(
          o,
          [new ChainedScheduler([new ReduceLROnPlateau(o, { patience: 0, factor: 0.5 })]), new ExponentialLR(o, 0.5)],
          [4],
        ),
    ],
  ])('a sequence %s', (name, make) => {
    const o = sgd();
    const s = quiet(() => make(o));
    const seen = [rates(o)[0]!];
    quiet(() => {
      for (const m of metrics) {
        s.step(m);
        seen.push(rates(o)[0]!);
      }
    });
    const expected: Record<string, number[]> = {
      'after a warm-up': [0.25, 0.5, 0.75, 0.75, 0.375, 0.375, 0.1875],
      'in a chain after a warm-up': [0.25, 0.5, 0.75, 1, 1, 1, 1],
      first: [1, 1, 1, 0.5, 1, 0.5, 0.25],
      'first in a chain': [1, 1, 1, 0.5, 1, 0.5, 0.25],
    };
    expect(relativeError(seen.slice(0, 7), expected[name]!)).toBeLessThanOrEqual(tolerances.learningRate);
  });

  test('and say what is missing', () => {
    const o = sgd();
    expect(() => new ChainedScheduler([new ReduceLROnPlateau(o)]).step()).toThrowError(
      "ReduceLROnPlateau.step() missing 1 required positional argument: 'metrics'",
    );
  });

  test('the state goes through JSON, the metric may be a tensor', () => {
    const run = (from: string | null) => {
      const o = sgd();
      const s = new ChainedScheduler([new ReduceLROnPlateau(o, { patience: 1, factor: 0.5 })]);
      if (from) s.load_state_dict(JSON.parse(from), { apply: true });
      return { o, s };
    };
    let { o, s } = run(null);
    metrics.forEach((m) => {
      ({ o, s } = ((old) => {
        const next = run(JSON.stringify(old.state_dict()));
        next.s.step(tf.scalar(m));
        return next;
      })(s));
    });
    expect(rates(o)).toEqual([0.125]);
  });
});

describe('a group that is added later, with adopt_new_groups, has the rates that it would have had from the start', () => {
  test.each(
    golden.traces
      .filter(
        (row) => row.resumes && row.lrs.length === 2 && !row.children && !row.metrics && !row.by_hand && !neverMet(row),
      )
      .filter((_, i) => i % 3 === 0)
      .map((row, i) => [`${i} ${row.name} ${JSON.stringify(row.kwargs)}`, row] as const),
  )('%s', (_, row) => {
    const kwargs: Record<string, unknown> = { ...row.kwargs, adopt_new_groups: true };
    // A third group with what the second has.
    const third = {
      lr: row.name === 'CyclicLR' ? (row.kwargs.base_lr as number) : row.name === 'OneCycleLR' ? 0.7 : 0.4,
    };
    const lists = Object.fromEntries(
      Object.entries(kwargs)
        .filter(([key, x]) => Array.isArray(x) && key !== 'milestones')
        .map(([key, x]) => [
          key,
          [...(x as number[]), key === 'max_lr' && row.name === 'OneCycleLR' ? 0.7 : (x as number[]).at(-1)!],
        ]),
    );
    const whole = { ...row, kwargs: { ...kwargs, ...lists }, lrs: [...row.lrs, third.lr] } satisfies Row as Row;
    if (row.name === 'OneCycleLR' && !Array.isArray(kwargs.max_lr))
      whole.kwargs.max_lr = [...row.lrs.map(() => row.kwargs.max_lr as number), 0.7];
    quiet(() => {
      const expected = build(whole);
      const o = optimizerOf(row);
      const scheduler = make({ ...row, kwargs }, o);
      for (let k = 0; k < stepsOf(row); k++) {
        if (k === 13) addGroup(o, third);
        scheduler.step();
        expected.scheduler.step();
        if (k < 13) continue;
        const now = rates(o);
        const want = rates(expected.optimizer);
        now.forEach((lr, i) => {
          const scale = Math.max(Math.abs(want[i]!), 1e-3);
          expect(Math.abs(lr - want[i]!) / scale, `${now} for ${want} at ${k}`).toBeLessThanOrEqual(
            tolerances.learningRate,
          );
        });
        expect(momenta(o)).toEqual(momenta(expected.optimizer));
      }
    });
  });

  test('in a chain both act on it', () => {
    const o = sgd();
    const s = new ChainedScheduler([
      new ExponentialLR(o, 0.9, { adopt_new_groups: true }),
      new StepLR(o, 3, 0.5, { adopt_new_groups: true }),
    ]);
    quiet(() => {
      for (let k = 0; k < 12; k++) {
        if (k === 7) addGroup(o, { lr: 2 });
        s.step();
      }
    });
    expect(relativeError(rates(o), [0.9 ** 12 * 0.5 ** 4, 2 * 0.9 ** 12 * 0.5 ** 4])).toBeLessThan(
      tolerances.learningRate,
    );
  });
});

describe('arguments', () => {
  test.each<[string, (o: SGD) => StepLR]>([
    ['by position', (o) => new StepLR(o, 30, 0.5)],
    ['by name', (o) => new StepLR(o, { step_size: 30, gamma: 0.5 })],
    ['mixed', (o) => new StepLR(o, 30, { gamma: 0.5 })],
    ['all by name', (o) => new StepLR({ optimizer: o, step_size: 30, gamma: 0.5 })],
  ])('%s', (_, make) => {
    expect(make(sgd())).toMatchObject({ step_size: 30, gamma: 0.5, last_epoch: 0, base_lrs: [1] });
  });

  // Compiled, not run.
  const wrong = (o: SGD) => [
    // @ts-expect-error a typo
    new StepLR(o, 30, { gama: 0.5 }),
    // @ts-expect-error a typo
    new CosineAnnealingLR(o, { T_max: 5, etamin: 0 }),
    // @ts-expect-error nothing required is missing
    new StepLR(o),
    // @ts-expect-error nothing required is missing
    new CyclicLR(o, { base_lr: 1 }),
    // @ts-expect-error a string is no epoch
    new MultiStepLR(o, ['1']),
    // @ts-expect-error a mode that there is not
    new ReduceLROnPlateau(o, 'least'),
    // @ts-expect-error a list of schedulers
    new ChainedScheduler(new StepLR(o, 3)),
    // @ts-expect-error a typo
    new SequentialLR(o, [], { milestone: [] }),
    // @ts-expect-error a strategy that there is not
    new SWALR(o, 0.1, 5, 'sine'),
    // @ts-expect-error too many
    new ExponentialLR(o, 0.9, -1, 3),
  ];
  test('wrong ones do not compile', () => expect(wrong).toBeTypeOf('function'));
});

describe('a function with state of its own', () => {
  const counting = (scale: number) => Object.assign((t: number) => 1 / (1 + counter.scale * t), { scale });
  let counter: ReturnType<typeof counting>;
  test.each([
    ['LambdaLR', (o: SGD, f: typeof counter) => new LambdaLR(o, f), 'lr_lambdas', [{ scale: 3 }]],
    ['MultiplicativeLR', (o: SGD, f: typeof counter) => new MultiplicativeLR(o, f), 'lr_lambdas', [{ scale: 3 }]],
    [
      'CyclicLR',
      (o: SGD, f: typeof counter) => new CyclicLR(o, 0.1, 1, { scale_fn: f }),
      '_scale_fn_custom',
      { scale: 3 },
    ],
  ] as const)('is saved by %s and loaded', (_, make, key, expected) => {
    counter = counting(3);
    const state = make(sgd(), counter).state_dict();
    expect(state[key]).toEqual(expected);
    expect(Object.keys(state).at(-1)).toBe(key);
    counter = counting(1);
    make(sgd(), counter).load_state_dict(state);
    expect(counter.scale).toBe(3);
  });
});

describe('a scheduler of the user’s own', () => {
  class Halving extends LRScheduler {
    declare every: number;
    constructor(optimizer: Optimizer<object>, every: number) {
      super(optimizer, -1, { every });
    }
    override get_lr() {
      return this.base_lrs.map((base) => base / 2 ** Math.floor(this.last_epoch / this.every));
    }
  }

  test('gives the rates by get_lr', () => {
    const optimizer = sgd();
    const scheduler = new Halving(optimizer, 2);
    const seen = Array.from({ length: 4 }, () => {
      optimizer.step();
      scheduler.step();
      return optimizer.param_groups[0]!.lr;
    });
    expect(seen).toEqual([1, 0.5, 0.5, 0.25]);
    expect(scheduler.state_dict()).toMatchObject({ every: 2, last_epoch: 4 });
  });

  test('is told where its options go if get_lr finds none', () => {
    class Late extends LRScheduler {
      factor: number;
      constructor(optimizer: Optimizer<object>, factor: number) {
        super(optimizer);
        this.factor = factor;
      }
      override get_lr() {
        return this.base_lrs.map((base) => base * this.factor);
      }
    }
    expect(() => new Late(sgd(), 0.5)).toThrowError(/must be passed to super\(optimizer, last_epoch/);
  });

  test('may have names of its own that ours use inside', () => {
    class Restarting extends LRScheduler {
      declare start: number;
      declare restart: number;
      declare apply: boolean;
      constructor(optimizer: Optimizer<object>) {
        super(optimizer, -1, { start: 2, restart: 3, apply: true });
      }
      override get_lr() {
        return this.base_lrs.map((base) => base * (this.start - (this.last_epoch % this.restart)));
      }
    }
    const scheduler = new Restarting(sgd());
    expect(scheduler.preview(4)).toEqual([[2], [1], [0], [2]]);
    const again = new Restarting(sgd());
    again.load_state_dict(scheduler.state_dict(), { apply: true });
    expect(again.get_last_lr()).toEqual([2]);
  });

  test('schedules an optimizer of the user’s own', () => {
    class Mine extends Optimizer<{ lr: number }> {
      override step() {
        return null;
      }
    }
    const optimizer = new Mine([parameter()], { lr: 1 });
    const scheduler = new StepLR(optimizer, 1);
    const warnings = catch_warnings(() => {
      optimizer.step();
      scheduler.step();
    });
    expect(warnings).toEqual([]);
    expect(optimizer.param_groups[0]!.lr).toBe(0.1);
  });

  test('acts on Adam’s betas as on its rate: they stay a pair', () => {
    const o = new Adam([parameter()], { lr: 1, betas: [0.9, 0.99] });
    const s = new OneCycleLR(o, 1, 20);
    quiet(() => s.step());
    expect(o.param_groups[0]!.betas).toEqual([expect.closeTo(0.94, 1), 0.99]);
  });
});
