import type * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { Adam } from '@tfjs-torch/optim';
import { expect, test } from 'vitest';

// The function of docs/porting.md § Saving.
const tensors = (x: unknown): unknown =>
  Array.isArray(x) || typeof x === 'number'
    ? torch.tensor(x)
    : x && Object.fromEntries(Object.entries(x).map(([key, value]) => [key, tensors(value)]));

const make = () => {
  const model = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Linear(4, 1));
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const step = () => {
    optimizer.zero_grad();
    const loss = (model(torch.arange(12, { dtype: torch.float32 }).view(4, 3)) as tf.Tensor).square().mean();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  return { model, optimizer, step };
};

test('a tensor and its .data are nested lists in JSON', () => {
  const p = new torch.Parameter(
    torch.tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  expect(JSON.stringify({ p, data: p.data, n: torch.tensor(5) })).toBe(
    '{"p":[[1,2],[3,4]],"data":[[1,2],[3,4]],"n":5}',
  );
});

test('a checkpoint that went through JSON goes on where it was', () => {
  const a = make();
  for (let i = 0; i < 3; i++) a.step();
  const text = JSON.stringify({ model: a.model.state_dict(), optimizer: a.optimizer.state_dict() });
  const wanted = [a.step(), a.step(), a.step()];

  const b = make();
  const saved = JSON.parse(text);
  b.model.load_state_dict(tensors(saved.model) as Record<string, tf.Tensor>);
  b.optimizer.load_state_dict({ ...saved.optimizer, state: tensors(saved.optimizer.state) });
  // JSON writes every float32 exactly.
  expect([b.step(), b.step(), b.step()]).toEqual(wanted);
  expect(JSON.stringify(b.model.state_dict())).toBe(JSON.stringify(a.model.state_dict()));
  expect(JSON.stringify(b.optimizer.state_dict())).toBe(JSON.stringify(a.optimizer.state_dict()));
});
