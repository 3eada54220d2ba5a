"""pytorch ——torch.optim.Adam: Adam Optimizer 只能处理 dense gradient,要想处理 sparse gradient 需要使用 SparseAdam Optimizer.

Added to the article, which shows no program for it: all of this.
"""
import torch
from torch import nn

torch.manual_seed(0)
embedding = nn.Embedding(50, 8, sparse=True)
words = torch.randint(0, 50, (12,))
targets = torch.randn(12, 8)
loss_fn = nn.MSELoss()

optimizer = torch.optim.Adam(embedding.parameters(), lr=0.01)
loss_fn(embedding(words), targets).backward()
try:
    optimizer.step()
except RuntimeError as error:
    print(error)

optimizer = torch.optim.SparseAdam(embedding.parameters(), lr=0.01)
before = embedding.weight.detach().clone()
for step in range(20):
    optimizer.zero_grad()
    loss = loss_fn(embedding(words), targets)
    loss.backward()
    optimizer.step()
    print(f'step {step + 1}: loss {loss.item():.4f}')
changed = (embedding.weight.detach() != before).any(1)
print(f'{int(changed.sum())} of 50 rows have changed, {len(set(words.tolist()))} were looked up')
