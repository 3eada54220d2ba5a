import torch from 'tfjs-torch';
import { expect, it } from 'vitest';

const { nn, optim } = torch;

it('brings back batches that wait for their turn, and does not take them for the inner values of a module', () => {
  torch.manual_seed(0);
  const model = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.Flatten(), new nn.Linear(2 * 26 * 26, 3));
  const optimizer = new optim.Adam(model.parameters());
  const criterion = new nn.CrossEntropyLoss();
  const batches = Array.from({ length: 4 }, () => torch.rand(8, 1, 28, 28));
  const values = batches.map((batch) => batch.dataSync().slice());
  const labels = torch.randint(0, 3, [8]);
  for (let epoch = 0; epoch < 4; epoch++) {
    for (const batch of batches) {
      const loss = criterion(model(batch), labels);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    }
  }
  expect(batches.map((batch) => batch.dataSync())).toEqual(values);
});
