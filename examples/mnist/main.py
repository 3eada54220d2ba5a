"""LeNet on MNIST in PyTorch: the original of main.ts."""

import argparse

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from tqdm import tqdm


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def train(epoch):
    model.train()
    with tqdm(total=len(train_set), desc=f'epoch {epoch}', unit=' images') as bar:
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            bar.set_postfix(loss=f'{loss.item():.4f}', refresh=False)
            bar.update(len(labels))


def test():
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in test_loader:
            correct += (model(images).argmax(1) == labels).sum().item()
    return correct / len(test_set)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('--epochs', type=int, default=2)
parser.add_argument('--batch-size', type=int, default=64)
parser.add_argument('--lr', type=float, default=1e-3)
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--data', default='data', help='folder that holds MNIST, or where to download it')
args = parser.parse_args()

train_set = datasets.MNIST(args.data, train=True, download=True, transform=transforms.ToTensor())
test_set = datasets.MNIST(args.data, train=False, download=True, transform=transforms.ToTensor())

torch.manual_seed(args.seed)
model = LeNet()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=args.lr)
train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
# A generator of its own: evaluation leaves the order of the next epoch alone.
test_loader = DataLoader(test_set, batch_size=1000, generator=torch.Generator())

for epoch in range(1, args.epochs + 1):
    train(epoch)
    print(f'epoch {epoch}: test accuracy {100 * test():.2f} %')
