import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { catch_warnings, Parameter } from '@tfjs-torch/core';
import { LRScheduler, StepLR, stepLR } from '@tfjs-torch/lr-scheduler';
import { Optimizer, SGD } from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import { relativeError, tolerances } from './tolerances';

interface Row {
  name: 'StepLR';
  args?: number[];
  kwargs: Record<string, number>;
  lrs: number[];
  by_hand?: [step: number, group: number, lr: number][];
  epochs?: number[];
  resume?: number;
  initial?: number[];
  tensor?: boolean;
  trace: number[][];
  state: Record<string, unknown>;
  initial_lrs: number[];
}
const golden = JSON.parse(readFileSync(new URL('./golden/lr.json', import.meta.url), 'utf8')) as {
  head: { torch: string; steps: number };
  messages: Record<string, [string, string] | [string, string][]>;
  traces: Row[];
};

const schedulers = { StepLR };
type Make = new (...args: unknown[]) => StepLR;
const parameter = () => new Parameter(tf.ones([1]));

function build(row: Row) {
  const groups = row.lrs.map((lr, i) => ({
    params: [parameter()],
    lr: row.tensor ? tf.scalar(lr) : lr,
    ...(row.initial && { initial_lr: row.initial[i] }),
  }));
  const optimizer = new SGD(groups);
  const scheduler = new (schedulers[row.name] as unknown as Make)(optimizer, ...(row.args ?? []), row.kwargs);
  return { optimizer, scheduler };
}

const number = (lr: unknown) => (lr instanceof tf.Tensor ? lr.dataSync()[0]! : (lr as number));

/** The rates after the constructor and after each step, interrupted where the row says so. */
function trace(row: Row, resume = row.resume) {
  let { optimizer, scheduler } = build(row);
  const rates = () => {
    const now = optimizer.param_groups.map((g) => number(g.lr));
    expect(scheduler.get_last_lr()).toEqual(now);
    return now;
  };
  const out = [rates()];
  for (let k = 0; k < (row.epochs?.length ?? golden.head.steps); k++) {
    if (resume === k) {
      const saved = JSON.parse(JSON.stringify([optimizer.state_dict(), scheduler.state_dict()]));
      ({ optimizer, scheduler } = build(row));
      scheduler.load_state_dict(saved[1]);
      optimizer.load_state_dict(saved[0]);
    }
    for (const [step, group, lr] of row.by_hand ?? []) if (step === k) optimizer.param_groups[group]!.lr = lr;
    optimizer.step();
    row.epochs ? scheduler.step(row.epochs[k]) : scheduler.step();
    out.push(rates());
  }
  return { out, scheduler, optimizer };
}

const quiet = <T>(f: () => T): T => {
  let result: T | undefined;
  catch_warnings(() => {
    result = f();
  });
  return result as T;
};
const label = ({ trace: _, state: __, initial_lrs: ___, ...row }: Row) => JSON.stringify(row);

describe('torch’s traces', () => {
  test.each(golden.traces.map((row) => [label(row), row] as const))('%s', (_, row) => {
    const { out, scheduler, optimizer } = quiet(() => trace(row));
    const tolerance = row.tensor ? tolerances.tensorLearningRate : tolerances.learningRate;
    expect(out.length).toBe(row.trace.length);
    out.forEach((rates, k) => {
      rates.forEach((lr, i) => {
        expect(relativeError([lr], [row.trace[k]![i]!])).toBeLessThanOrEqual(tolerance);
      });
    });
    const state = scheduler.state_dict();
    expect(Object.keys(state)).toEqual(Object.keys(row.state));
    for (const [key, value] of Object.entries(row.state)) {
      if (Array.isArray(value)) expect(relativeError(state[key] as number[], value)).toBeLessThanOrEqual(tolerance);
      else expect(state[key]).toBe(value);
    }
    const initial = optimizer.param_groups.map((g) => number(g.initial_lr));
    expect(relativeError(initial, row.initial_lrs)).toBeLessThanOrEqual(tolerance);
  });

  test('there are as many as were recorded', () => {
    expect(golden.head.torch).toMatch(/^2\.15\.0/);
    expect(golden.traces.length).toBe(42);
  });
});

test('resumed at any step, the rates are exactly those of an uninterrupted run', () => {
  const rows = golden.traces.filter((row) => row.resume === undefined && !row.epochs && !row.tensor && !row.initial);
  expect(rows.length).toBe(29);
  for (const row of rows) {
    const whole = trace(row, -1).out;
    for (const at of [0, 1, 2, 5, 14, 31, 59]) expect(trace(row, at).out).toEqual(whole);
  }
});

test('the chained form follows the closed form', () => {
  const h = { step_size: 4, gamma: 0.7 };
  let lr = 0.3;
  for (let t = 0; t < 100; t++) {
    lr = stepLR.next(h, lr, t);
    expect(relativeError([lr], [stepLR.closed(h, 0.3, t)])).toBeLessThanOrEqual(tolerances.learningRate);
  }
});

describe('what torch says', () => {
  const row: Row = { ...golden.traces[0]!, kwargs: { step_size: 5 }, lrs: [0.1, 0.003] };
  const deeds: Record<string, () => void> = {
    scheduler_first() {
      const { scheduler } = build(row);
      scheduler.step();
      scheduler.step();
    },
    optimizer_first() {
      const { optimizer, scheduler } = build(row);
      optimizer.step();
      scheduler.step();
    },
    step_before_scheduler() {
      const optimizer = new SGD([parameter()]);
      optimizer.step();
      new StepLR(optimizer, 2).step();
    },
    second_scheduler() {
      const { optimizer } = build(row);
      optimizer.step();
      new StepLR(optimizer, 2).step();
    },
    overridden() {
      const { optimizer, scheduler } = build(row);
      optimizer.step = (() => null) as typeof optimizer.step;
      optimizer.step();
      scheduler.step();
    },
    epoch() {
      const { optimizer, scheduler } = build(row);
      optimizer.step();
      scheduler.step(3);
    },
    get_lr: () => void build(row).scheduler.get_lr(),
    no_optimizer: () => void new StepLR(new (class Model {})() as SGD, 2),
    no_initial_lr: () =>
      void new StepLR(new SGD([{ params: parameter(), initial_lr: 1 }, { params: parameter() }]), 2, 0.1, 5),
    no_step_size: () => void new (StepLR as unknown as Make)(new SGD([parameter()])),
    too_many: () => void new (StepLR as unknown as Make)(new SGD([parameter()]), 1, 2, 3, 4),
    group_added() {
      const { optimizer, scheduler } = build(row);
      optimizer.step();
      optimizer.add_param_group({ params: parameter() });
      scheduler.step(3);
    },
  };

  test('every deed of the recording is done here', () => {
    expect(Object.keys(deeds)).toEqual(Object.keys(golden.messages));
  });

  test.each(Object.entries(golden.messages))('%s', (name, expected) => {
    let thrown: Error | undefined;
    const warnings = catch_warnings(() => {
      try {
        deeds[name]!();
      } catch (error) {
        thrown = error as Error;
      }
    });
    if (typeof expected[0] === 'string') expect([thrown?.name, thrown?.message]).toEqual(expected);
    else {
      expect(thrown).toBeUndefined();
      expect(warnings.map((w) => [w.category, w.message])).toEqual(expected);
    }
  });
});

describe('arguments', () => {
  test.each<[string, (o: SGD) => StepLR]>([
    ['by position', (o) => new StepLR(o, 30, 0.5)],
    ['by name', (o) => new StepLR(o, { step_size: 30, gamma: 0.5 })],
    ['mixed', (o) => new StepLR(o, 30, { gamma: 0.5 })],
    ['all by name', (o) => new StepLR({ optimizer: o, step_size: 30, gamma: 0.5 })],
  ])('%s', (_, make) => {
    expect(make(new SGD([parameter()], 1))).toMatchObject({ step_size: 30, gamma: 0.5, last_epoch: 0, base_lrs: [1] });
  });

  test.each<[string, unknown[], string]>([
    ['a step size of 0, by which torch divides later', [0], 'step_size must be above 0, but is 0'],
    ['no number for a step size', ['3'], 'step_size must be above 0, but is 3'],
    ['no number for gamma', [3, '0.1'], 'gamma must be a number, but is 0.1'],
  ])('%s is refused and sets nothing', (_, args, text) => {
    const optimizer = new SGD([parameter()], 1);
    expect(() => new (StepLR as unknown as Make)(optimizer, ...args)).toThrowError(text);
    expect('initial_lr' in optimizer.param_groups[0]!).toBe(false);
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
    const optimizer = new SGD([parameter()], 1);
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
    expect(() => new Late(new SGD([parameter()]), 0.5)).toThrowError(/must be passed to super\(optimizer, last_epoch/);
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
});
