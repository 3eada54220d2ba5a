// Trains LeNet on MNIST at seed 0 and compares the test accuracy with torch's: `pnpm accuracy --backend wasm --epochs 2`.
import { parseArgs } from 'node:util';
import { initBackend } from '@tfjs-torch/node';
import { head } from '../test/parity/golden';
import { accuracies, pointsFromTorch } from '../test/parity/lenet';
import { tolerances } from '../test/tolerances';

const { values: options } = parseArgs({ options: { backend: { type: 'string' }, epochs: { type: 'string' } } });
const recorded = Object.values(head.accuracy)[0]!.length;
const epochs = Math.min(Number(options.epochs ?? recorded), recorded);
const { backend } = await initBackend({ backend: options.backend });
const run = accuracies(head.seed);
for (let epoch = 1; epoch <= epochs; epoch++) {
  const start = performance.now();
  const percent = run.next().value as number;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const torch = Object.values(head.accuracy).map((reached) => reached[epoch - 1]!.toFixed(2));
  console.log(`${backend}, epoch ${epoch}: ${percent.toFixed(2)} % (torch: ${torch.join(', ')}), ${seconds} s`);
  if (!(pointsFromTorch(percent, epoch) <= tolerances.lenetAccuracy)) process.exitCode = 1;
}
