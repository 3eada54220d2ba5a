import { expect, it } from 'vitest';
import { head } from './parity/golden';
import { accuracies, pointsFromTorch } from './parity/lenet';
import { tolerances } from './tolerances';

const backend = process.env.TFJS_TORCH_BACKEND;

// `pnpm accuracy` trains two epochs.
it('reaches the accuracy of torch on MNIST after an epoch', ({ skip }) => {
  skip(backend === 'cpu', 'an epoch takes the cpu backend ten minutes');
  const percent = accuracies(head.seed).next().value as number;
  console.info(`${backend}: ${percent.toFixed(2)} % (torch: ${Object.values(head.accuracy).map(([first]) => first)})`);
  expect(pointsFromTorch(percent, 1)).toBeLessThanOrEqual(tolerances.lenetAccuracy);
}, 600_000);
