import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import * as optim from '@tfjs-torch/optim';
import { expect, test } from 'vitest';
import { classGolden } from './class-golden';
import { optimizers as constructors, golden } from './golden';
import { Signum } from './signum';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const optimizers = 'packages/optim/src/optimizers';
const files = readdirSync(new URL(`../../${optimizers}`, import.meta.url)).map((file) => file.replace(/\.ts$/, ''));
/** The class that each file holds. */
const classes = new Map(files.map((file) => [file, /export class (\w+)/.exec(read(`${optimizers}/${file}.ts`))![1]!]));
const sorted = (names: Iterable<string>) => [...names].sort();

test('every optimizer has a line in the index', () => {
  for (const [file, name] of classes) {
    expect(read('packages/optim/src/index.ts')).toContain(`from './optimizers/${file}'`);
    expect(optim).toHaveProperty(name);
    expect(read('packages/tfjs-torch/src/optim.ts')).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test('every optimizer has a row in docs/optimizers.md, and no row is without one', () => {
  const rows = [...read('docs/optimizers.md').matchAll(/^\| (\w+) \| `/gm)].map(([, name]) => name!);
  expect(sorted(rows)).toEqual(sorted(classes.values()));
});

test('the rules are those that all executors run', () => {
  const all = [...read('docs/optimizers.md').matchAll(/^\| (\w+) \| `.*\| all \|$/gm)].map(([, name]) => name!);
  expect(sorted(all)).toEqual(sorted(classes.values()).filter((name) => 'rule' in constructors[name]!));
});

test('every optimizer has cases and errors from torch, and none is recorded without one', () => {
  const names = sorted(classes.values());
  expect(sorted(new Set([...golden.cases, ...classGolden.cases].map((c) => c.name)))).toEqual(names);
  expect(sorted(new Set([...golden.errors, ...classGolden.errors].map((c) => c.name)))).toEqual(names);
});

test('the code in docs/adding-an-optimizer.md is the code', () => {
  const blocks = [...read('docs/adding-an-optimizer.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  expect(blocks.length).toBe(3);
  expect(read('test/optim/lion.ts')).toBe(blocks[0]);
  expect(read('test/optim/signum.ts')).toBe(blocks[1]);
  expect(read(`${optimizers}/sgd.ts`)).toContain(blocks[2]);
});

test('the optimizer of docs/adding-an-optimizer.md trains, saves and goes on', () => {
  const target = tf.tensor1d([0.5, -0.25]);
  const train = (p: Parameter, optimizer: Signum, steps: number) => {
    for (let k = 0; k < steps; k++) {
      optimizer.zero_grad();
      tf.sum(tf.square(tf.sub(p, target))).backward();
      optimizer.step();
    }
  };
  const p = new Parameter(tf.zeros([2]));
  const optimizer = new Signum([p], { lr: 0.0625, momentum: 0.5 });
  train(p, optimizer, 4);
  expect(Array.from(p.dataSync())).toEqual([0.25, -0.25]);
  train(p, optimizer, 2);

  const copy = new Parameter(tf.clone(p));
  const resumed = new Signum([copy]);
  resumed.load_state_dict(optimizer.state_dict());
  train(p, optimizer, 5);
  train(copy, resumed, 5);
  expect(Array.from(copy.dataSync())).toEqual(Array.from(p.dataSync()));
  expect(String(resumed)).toBe('Signum (\nParameter Group 0\n    lr: 0.0625\n    momentum: 0.5\n)');
});
