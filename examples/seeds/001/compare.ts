// 深度学习--优化器篇(超详细付代码测试流程包含:SGD,SGDM,NAG,Adagrad,RMSProp,Adam,Adadelta,Nadam等常用优化器): the comparison,
// beside compare.py.
import torch, { torchvision } from 'tfjs-torch';

const { nn } = torch;
const { DataLoader, Subset } = torch.utils.data;

const BATCHES = 300;

class CNN extends nn.Module {
  conv1 = new nn.Sequential(new nn.Conv2d(1, 8, 5, { padding: 2 }), new nn.ReLU(), new nn.MaxPool2d(2));
  conv2 = new nn.Sequential(new nn.Conv2d(8, 16, 5, { padding: 2 }), new nn.ReLU(), new nn.MaxPool2d(2));
  out = new nn.Linear(16 * 7 * 7, 10);

  forward(x: torch.Tensor) {
    x = this.conv1(x);
    x = this.conv2(x);
    x = x.view(x.shape[0]!, -1);
    return this.out(x);
  }
}

type Params = ReturnType<CNN['parameters']>;
// biome-ignore format: a line for each, as in compare.py
const OPTIMIZERS = {
  SGD: (params: Params) => new torch.optim.SGD(params, { lr: 0.01 }),
  SGDM: (params: Params) => new torch.optim.SGD(params, { lr: 0.01, momentum: 0.9 }),
  NAG: (params: Params) => new torch.optim.SGD(params, { lr: 0.01, momentum: 0.9, nesterov: true }),
  Adagrad: (params: Params) => new torch.optim.Adagrad(params, { lr: 0.01, lr_decay: 0, weight_decay: 0, initial_accumulator_value: 0 }),
  RMSprop: (params: Params) => new torch.optim.RMSprop(params, { lr: 0.001, alpha: 0.9, eps: 1e-8, weight_decay: 0, momentum: 0, centered: false }),
  Adadelta: (params: Params) => new torch.optim.Adadelta(params, { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0 }),
  Adam: (params: Params) => new torch.optim.Adam(params, { lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, amsgrad: false }),
  NAdam: (params: Params) => new torch.optim.NAdam(params, { lr: 0.002, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, momentum_decay: 0.004 }),
};

const mnist = (train: boolean) =>
  new torchvision.datasets.MNIST({ train, transform: torchvision.transforms.ToTensor() });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const [train_set, test_set] = [mnist(true), new Subset(mnist(false), range(2000))];
const criterion = new nn.CrossEntropyLoss();

function train(make: (typeof OPTIMIZERS)[keyof typeof OPTIMIZERS]) {
  torch.manual_seed(0);
  const model = new CNN();
  const optimizer = make(model.parameters());
  const loader = new DataLoader(train_set, { batch_size: 64, shuffle: true });
  const losses: number[] = [];
  for (const [images, labels] of loader) {
    optimizer.zero_grad();
    const loss = criterion(model(images), labels);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
    if (losses.length === BATCHES) break;
  }
  let correct = 0;
  torch.no_grad(() => {
    for (const [images, labels] of new DataLoader(test_set, { batch_size: 500 })) {
      correct += model(images).argmax(1).eq(labels).sum().item();
    }
  });
  return [losses, (100 * correct) / test_set.length] as const;
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The losses of each optimizer. */
export const curves: Record<string, number[]> = {};
console.log('optimizer | first | last 20 | test accuracy');
for (const [name, make] of Object.entries(OPTIMIZERS)) {
  const [losses, accuracy] = train(make);
  curves[name] = losses;
  console.log(
    `${name.padEnd(9)} | ${losses[0]!.toFixed(4)} | ${mean(losses.slice(-20)).toFixed(4)} | ${accuracy.toFixed(2)} %`,
  );
}
