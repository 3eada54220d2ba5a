// pytorch ——torch.optim.Adam: Adam Optimizer 只能处理 dense gradient,要想处理 sparse gradient 需要使用 SparseAdam Optimizer,
// beside sparse_adam.py.
import torch from 'tfjs-torch';

const { nn } = torch;

torch.manual_seed(0);
const embedding = new nn.Embedding(50, 8, { sparse: true });
const words = torch.randint(0, 50, [12]);
const targets = torch.randn(12, 8);
const loss_fn = new nn.MSELoss();

const adam = new torch.optim.Adam(embedding.parameters(), { lr: 0.01 });
loss_fn(embedding(words), targets).backward();
try {
  adam.step();
} catch (error) {
  console.log((error as Error).message);
}

const optimizer = new torch.optim.SparseAdam(embedding.parameters(), { lr: 0.01 });
const before = embedding.weight.detach().clone();
for (let step = 0; step < 20; step++) {
  optimizer.zero_grad();
  const loss = loss_fn(embedding(words), targets);
  loss.backward();
  optimizer.step();
  console.log(`step ${step + 1}: loss ${loss.item().toFixed(4)}`);
}
const changed = embedding.weight.detach().notEqual(before).any(1);
console.log(`${changed.sum().item()} of 50 rows have changed, ${new Set(words.dataSync()).size} were looked up`);
