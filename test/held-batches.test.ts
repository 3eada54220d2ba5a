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

it('brings back a batch that the first layer keeps for its gradient', () => {
  const layers = [new nn.Linear(4, 2), new nn.Conv2d(1, 1, 2), new nn.LayerNorm(4)] as const;
  const [linear, conv, norm] = layers;
  const optimizer = new optim.SGD(
    layers.flatMap((layer) => [...layer.parameters()]),
    0.1,
  );
  const make = () => [torch.ones(3, 4), torch.ones(1, 1, 4, 4)] as const;
  const held = make();
  for (let i = 0; i < 24; i++) {
    const [rows, images] = i % 8 === 7 ? held : make();
    const loss = linear(rows).square().mean().add(conv(images).square().mean()).add(norm(rows).square().mean());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  expect(held.map((t) => t.sum().item())).toEqual([12, 16]);
});
