/** Times the MNIST loader: one batch of 64, shuffled, as a training loop asks for it. */
import { DataLoader, datasets, transforms } from '@tfjs-torch/data';
import { initBackend } from '@tfjs-torch/node';

const { backend } = await initBackend({ quiet: true });
const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)]);
const loader = new DataLoader(new datasets.MNIST(null, { train: true, transform }), { batch_size: 64, shuffle: true });
const times: number[] = [];
for (let epoch = 0; epoch < 2; epoch++) {
  let start = performance.now();
  for (const [images, labels] of loader) {
    const end = performance.now();
    if (epoch > 0) times.push(end - start);
    images!.dispose();
    labels!.dispose();
    start = performance.now();
  }
}
times.sort((a, b) => a - b);
console.log(
  `${backend}: ${times.length} batches of 64; median ${times[times.length >> 1]!.toFixed(3)} ms, least ${times[0]!.toFixed(3)} ms`,
);
