import { describe, test } from 'vitest';
import { drive, long } from './memory/drive';
import { loops } from './memory/loops';

// Half as many as in the synchronous form, for time: there are the same rounds, and finalizers between them.
describe(`${long / 2} iterations of an async loop without dispose or tidy`, () => {
  test.each(loops)('$name', (loop) => drive(loop, true, long / 2), 300_000);
});
