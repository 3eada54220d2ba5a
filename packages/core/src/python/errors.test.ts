import { afterEach, expect, test, vi } from 'vitest';
import * as errors from './errors';

afterEach(() => vi.restoreAllMocks());

test.each([
  ['ValueError', errors.ValueError],
  ['RuntimeError', errors.RuntimeError],
  ['KeyError', errors.KeyError],
  ['IndexError', errors.IndexError],
  ['AttributeError', errors.AttributeError],
  ['AssertionError', errors.AssertionError],
  ['NotImplementedError', errors.NotImplementedError],
])('%s', (name, PythonError) => {
  const error = new PythonError('no');
  expect(error).toBeInstanceOf(Error);
  expect([error.name, String(error), error.stack?.split('\n')[0]]).toEqual([name, `${name}: no`, `${name}: no`]);
});

test('a warning is shown once per text and category', () => {
  const shown = vi.spyOn(console, 'warn').mockImplementation(() => {});
  errors.warn('first');
  errors.warn('first');
  errors.warn('first', 'FutureWarning');
  expect(shown.mock.calls).toEqual([['UserWarning: first'], ['FutureWarning: first']]);
});

test('catch_warnings records all of them, shows none and restores the sink, also after an error', () => {
  const shown = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const caught = errors.catch_warnings(() => {
    errors.warn('a');
    errors.warn('a', 'DeprecationWarning');
  });
  expect(caught).toEqual([
    { message: 'a', category: 'UserWarning' },
    { message: 'a', category: 'DeprecationWarning' },
  ]);
  expect(shown).not.toHaveBeenCalled();
  expect(() =>
    errors.catch_warnings(() => {
      throw new Error('x');
    }),
  ).toThrow('x');
  errors.warn('after');
  expect(shown).toHaveBeenCalledOnce();
});

test('setWarningSink returns the one it replaces', () => {
  const seen: string[] = [];
  const previous = errors.setWarningSink((w) => seen.push(w.message));
  errors.warn('b');
  errors.setWarningSink(previous);
  expect(seen).toEqual(['b']);
});
