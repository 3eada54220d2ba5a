import torch, { torchvision } from 'tfjs-torch';
import { lenet } from '../nets';
import { head } from './golden';

const { nn } = torch;
const { DataLoader } = torch.utils.data;

export const train = new torchvision.datasets.MNIST({ train: true, transform: new torchvision.transforms.ToTensor() });
export const test = new torchvision.datasets.MNIST({ train: false, transform: new torchvision.transforms.ToTensor() });

/** What a plain training script has after its first lines: scripts/golden/lenet.py has the same function. */
export function script(seed: number) {
  torch.manual_seed(seed);
  const net = lenet();
  const optimizer = new torch.optim.Adam(net.parameters(), { lr: head.lr });
  const loader = new DataLoader(train, { batch_size: head.batch_size, shuffle: true });
  return { net, optimizer, loader };
}

/** The accuracy on the test set, in percent, after each epoch of the script, without an end. */
export function* accuracies(seed: number): Generator<number> {
  const { net, optimizer, loader } = script(seed);
  const criterion = new nn.CrossEntropyLoss();
  const evaluation = new DataLoader(test, { batch_size: 1000, generator: new torch.Generator() });
  for (;;) {
    for (const [images, labels] of loader) {
      const loss = criterion(net(images), labels);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    }
    let correct = 0;
    torch.no_grad(() => {
      for (const [images, labels] of evaluation) correct += net(images).argmax(1).eq(labels).sum().item();
    });
    yield (100 * correct) / test.length;
  }
}

/** How many points `percent` lies outside of what torch's own CPU paths reach after `epoch`, which starts at 1. */
export function pointsFromTorch(percent: number, epoch: number): number {
  const reached = Object.values(head.accuracy).map((epochs) => epochs[epoch - 1]!);
  return Math.max(0, percent - Math.max(...reached), Math.min(...reached) - percent);
}
