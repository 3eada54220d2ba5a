import { readdirSync, readFileSync } from 'node:fs';
import * as lr_scheduler from '@tfjs-torch/lr-scheduler';
import { expect, test } from 'vitest';
import { chart } from '../examples/schedules/chart';
import { ratesOf, schedules } from '../examples/schedules/schedules';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test.each(Object.entries(schedules))('the picture of %s in docs/ is what is drawn now', (name, [title, make]) => {
  expect(chart(title, ratesOf(make, 100))).toBe(read(`docs/schedules/${name}.svg`));
});

test('every scheduler has a file, a row and a picture', () => {
  const names = Object.keys(lr_scheduler).filter((name) => /LR$|LROnPlateau$|Restarts$|Scheduler$/.test(name));
  const own = names.filter((name) => /^[A-Z]/.test(name) && name !== 'LRScheduler').sort();
  expect(own.length).toBe(16);
  expect(Object.keys(schedules).sort()).toEqual(own);
  const kebab = (name: string) =>
    name
      .replace('SWALR', 'swalr')
      .replace(/([a-z])([A-Z])/g, '$1-$2')
      .replace('LROn', 'LR-On')
      .toLowerCase();
  const files = readdirSync(new URL('../packages/lr-scheduler/src/schedulers', import.meta.url));
  expect(files.sort()).toEqual(own.map((name) => `${kebab(name)}.ts`).sort());
  const rows = [...read('docs/schedulers.md').matchAll(/^\| (\w+) \| <img src="schedules\/(\w+)\.svg"/gm)];
  expect(rows.map(([, name, picture]) => [name, picture]).sort()).toEqual(own.map((name) => [name, name]));
});
