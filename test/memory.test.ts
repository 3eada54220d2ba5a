import { describe, test } from 'vitest';
import { drive, long } from './memory/drive';
import { loops, realNets } from './memory/loops';

describe(`${long} iterations without dispose or tidy`, () => {
  test.each(loops)('$name', (loop) => drive(loop, false), 300_000);
});

// cpu takes 0.5 s for a step of LeNet and 10 s for one of the other.
const slow = process.env.TFJS_TORCH_BACKEND === 'cpu';
describe.skipIf(slow)(`20 iterations of real nets${slow ? ': too slow on cpu' : ''}`, () => {
  test.each(realNets)('$name', (loop) => drive(loop, false, 20), 300_000);
});
