import { catch_warnings } from '@tfjs-torch/core';
import * as lr_scheduler from '@tfjs-torch/lr-scheduler';
import {
  constantLR,
  cosineAnnealingLR,
  exponentialLR,
  LRScheduler,
  linearLR,
  multiStepLR,
  polynomialLR,
  type Schedule,
  StepLR,
  stepLR,
} from '@tfjs-torch/lr-scheduler';
import type * as optim from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import {
  type Action,
  addGroup,
  build,
  golden,
  make,
  momenta,
  number,
  numbers,
  optimizerOf,
  quiet,
  type Row,
  rates,
  type Setting,
  stepOnce,
  stepsOf,
} from './lr-rows';
import { relativeError, tolerances } from './tolerances';

function label(row: object) {
  const { trace, state, groups, momenta: _, metrics, resumes, ...rest } = row as Row;
  return JSON.stringify({ ...rest, ...(metrics && { metrics: metrics.slice(0, 3) }) });
}

/** Keys in torch's order; numbers within the tolerance, all else equal. */
function expectState(actual: unknown, expected: unknown, tolerance: number) {
  if (typeof expected === 'number') {
    const near = relativeError([actual as number], [expected]) <= tolerance;
    if (!near) expect(actual).toBe(expected);
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object)).toEqual(Object.keys(expected));
    for (const [key, x] of Object.entries(expected)) {
      expectState((actual as Record<string, unknown>)[key], x, tolerance);
    }
  } else if (typeof expected === 'string' && expected in numbers) expect(actual).toBe(numbers[expected]);
  else expect(actual).toBe(expected);
}

function expectNear(actual: number[], expected: number[], tolerance: number) {
  expect(actual.length).toBe(expected.length);
  actual.forEach((x, i) => {
    if (relativeError([x], [expected[i]!]) > tolerance) expect(actual).toEqual(expected);
  });
}

describe('torch’s traces', () => {
  test.each(golden.traces.map((row) => [label(row), row] as const))('%s', (_, row) => {
    const tolerance = row.tensor ? tolerances.tensorLearningRate : tolerances.learningRate;
    const run = quiet(() => build(row));
    const { optimizer, scheduler } = run;
    const check = (k: number) => {
      const now = rates(optimizer);
      expect(scheduler.get_last_lr()).toEqual(now);
      expectNear(now, row.trace[k]!, tolerance);
      if (row.momenta) expectNear(momenta(optimizer), row.momenta[k]!, tolerance);
    };
    check(0);
    quiet(() => {
      for (let k = 0; k < stepsOf(row); k++) {
        stepOnce(row, k, run);
        check(k + 1);
      }
    });
    expect(row.trace.length).toBe(stepsOf(row) + 1);
    expectState(scheduler.state_dict(), row.state, tolerance);
    const groups = optimizer.param_groups.map((group, i) =>
      Object.fromEntries(Object.keys(row.groups[i]!).map((key) => [key, number(group[key])])),
    );
    expectState(groups, row.groups, tolerance);
  });

  test('there are as many as were recorded', () => {
    expect(golden.head.torch).toMatch(/^2\.15\.0/);
    expect(golden.traces.length).toBe(474);
    expect(golden.traces.filter((row) => row.resumes).length).toBe(357);
  });

  test('of every scheduler', () => {
    const names = Object.entries(lr_scheduler).filter(
      ([, x]) => typeof x === 'function' && x.prototype instanceof LRScheduler && !x.name.startsWith('_'),
    );
    expect(names.length).toBe(16);
    for (const [name] of names) expect(golden.traces.some((row) => row.name === name)).toBe(true);
  });
});

/** By way of JSON, but where the best metric may be the infinity that it lacks. */
const copy = (state: unknown, row: Row) =>
  row.metrics?.includes('inf') ? structuredClone(state) : JSON.parse(JSON.stringify(state));

/** Host arithmetic: every step on one backend, some on the others. */
const stride = process.env.TFJS_TORCH_BACKEND === 'cpu' ? 1 : 13;

/** In which order a checkpoint is loaded. */
const orders = {
  'the scheduler, then the optimizer': { apply: false, order: ['build', 'scheduler', 'optimizer'] },
  'the optimizer, then the scheduler, with apply': { apply: true, order: ['build', 'optimizer', 'scheduler'] },
  'the scheduler, then the optimizer, with apply': { apply: true, order: ['build', 'scheduler', 'optimizer'] },
  'the optimizer before the scheduler is built, with apply': {
    apply: true,
    order: ['optimizer', 'build', 'scheduler'],
  },
};

describe.each(Object.entries(orders))(
  'resumed at any step, the rates are exactly those of an uninterrupted run: %s',
  (_, { apply, order }) => {
    const rows = golden.traces.filter((row) => row.resumes);
    // As many kinds as there are, and with the loading that torch has every row.
    const some = apply ? rows.filter((_row, i) => i % 4 === 0) : rows;
    test(`${some.length} rows`, () => {
      quiet(() => {
        for (const row of some) {
          const whole = build(row);
          const saved: unknown[] = [];
          const trace: unknown[] = [];
          for (let k = 0; k < stepsOf(row); k++) {
            saved.push(copy([whole.optimizer.state_dict(), whole.scheduler.state_dict()], row));
            stepOnce(row, k, whole);
            trace.push([rates(whole.optimizer), momenta(whole.optimizer)]);
          }
          saved.forEach((pair, k) => {
            if (k % stride !== 0) return;
            const [optimizerState, schedulerState] = pair as [optim.StateDict, Record<string, unknown>];
            const optimizer = optimizerOf(row);
            let scheduler: LRScheduler | undefined;
            for (const deed of order) {
              if (deed === 'build') scheduler = make(row, optimizer);
              else if (deed === 'optimizer') optimizer.load_state_dict(optimizerState);
              else scheduler!.load_state_dict(schedulerState, { apply });
            }
            for (let j = k; j < stepsOf(row); j++) {
              stepOnce(row, j, { optimizer, scheduler: scheduler! });
              const now = [rates(optimizer), momenta(optimizer)];
              if (JSON.stringify(now) !== JSON.stringify(trace[j])) {
                expect.fail(
                  `${label(row)} resumed at ${k}: ${JSON.stringify(now)} at ${j}, not ${JSON.stringify(trace[j])}`,
                );
              }
            }
          });
        }
      });
    });
  },
);

describe('the chained form follows the closed form', () => {
  const row = <H extends object>(name: string, h: H, schedule: Schedule<H>) =>
    [name, (lr: number, t: number) => schedule.next(h, lr, t, 0.3), (t: number) => schedule.closed(h, 0.3, t)] as const;
  test.each([
    row('StepLR', { step_size: 4, gamma: 0.7 }, stepLR),
    row('MultiStepLR', { milestones: { 3: 1, 20: 2 }, gamma: 0.7 }, multiStepLR),
    row('ConstantLR', { factor: 0.2, total_iters: 7 }, constantLR),
    row('LinearLR', { start_factor: 0.2, end_factor: 0.9, total_iters: 30 }, linearLR),
    row('ExponentialLR', { gamma: 0.97 }, exponentialLR),
    row('PolynomialLR', { total_iters: 50, power: 1.3 }, polynomialLR),
    row('CosineAnnealingLR', { T_max: 30, eta_min: 0.01 }, cosineAnnealingLR),
  ])('%s', (_, next, closed) => {
    let lr = closed(0);
    for (let t = 1; t < 100; t++) {
      lr = next(lr, t);
      expect(relativeError([lr], [closed(t)])).toBeLessThanOrEqual(tolerances.learningRate);
    }
  });
});

function act(row: Setting, actions: Action[]) {
  const optimizer = optimizerOf(row);
  if (actions.includes('before')) optimizer.step();
  const scheduler = make(row, optimizer);
  let again: LRScheduler;
  const deeds: Record<string, (...args: number[]) => void> = {
    before: () => {},
    step: (...args) => (scheduler.step as (...args: number[]) => void)(...args),
    opt: () => void optimizer.step(),
    override() {
      optimizer.step = (() => null) as typeof optimizer.step;
    },
    again() {
      again = new StepLR(optimizer, 2);
    },
    'step again': () => again.step(),
    add: () => addGroup(optimizer),
    get_lr: () => void scheduler.get_lr(),
  };
  for (const action of actions) {
    const [name, ...args] = typeof action === 'string' ? [action] : action;
    deeds[name]!.apply(null, args);
  }
}

describe('what torch says', () => {
  test.each(golden.said.map((item) => [`${label(item.row)} ${JSON.stringify(item.actions)}`, item] as const))(
    '%s',
    (_, { row, actions, said }) => {
      let thrown: Error | undefined;
      const warnings = catch_warnings(() => {
        try {
          act(row, actions);
        } catch (error) {
          thrown = error as Error;
        }
      });
      if (typeof said[0] === 'string') expect([thrown?.name, thrown?.message]).toEqual(said);
      else {
        expect(thrown).toBeUndefined();
        expect(warnings.map((w) => [w.category, w.message])).toEqual(said);
      }
    },
  );

  class Model {
    param_groups = [{ lr: 1 }, { lr: 1 }];
  }
  test.each(golden.refused.map((item) => [label(item.row), item] as const))('%s', (_, { row, said }) => {
    const optimizer = row.no_optimizer ? new Model() : optimizerOf(row);
    const before = row.children
      ? null
      : JSON.stringify(optimizer.param_groups.map(({ lr, ...g }) => ({ lr, ...g, params: 0 })));
    let thrown: Error | undefined;
    try {
      make(row, optimizer, row.other);
    } catch (error) {
      thrown = error as Error;
    }
    expect([thrown?.name, thrown?.message]).toEqual(said);
    if (before)
      expect(JSON.stringify(optimizer.param_groups.map(({ lr, ...g }) => ({ lr, ...g, params: 0 })))).toBe(before);
  });
});
