// pytorch ——torch.optim.Adam, 在训练过程中关于loss的一些说明: the table as a function, used on curves of real runs, beside
// diagnose_losses.py.
import torch from 'tfjs-torch';

const { nn } = torch;

type Trend = 'falls' | 'flat' | 'rises';
type Row = readonly [row: number, what: string, advice: string];

const TABLE: Partial<Record<`${Trend} ${Trend}`, Row>> = {
  'falls falls': [1, '网络正在学习', 'the network is learning: go on'],
  'falls flat': [2, '网络过拟合', 'overfitting: stop here, or more data, weight decay, dropout'],
  'flat flat': [3, '学习遇到瓶颈', 'stuck: lower the learning rate or the batch size'],
  'flat falls': [4, '数据集100%有问题', 'something is wrong with the data'],
  'rises rises': [
    5,
    '网络结构设计不当,训练超参数设置不当,程序bug等',
    'the network, a hyperparameter or a bug: check them',
  ],
};

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** What becomes of a curve: its last quarter beside its first, by a tenth. A loss that is no number any more has risen. */
function trend(losses: readonly number[]): Trend {
  const quarter = Math.max(1, Math.floor(losses.length / 4));
  const [first, last] = [mean(losses.slice(0, quarter)), mean(losses.slice(-quarter))];
  if (!Number.isFinite(last) || last > 1.1 * first) return 'rises';
  return last < 0.9 * first ? 'falls' : 'flat';
}

/** The row of the article's table for two curves, what it says, and an advice; null where the table has no such row. */
export function diagnose_losses(train: readonly number[], test: readonly number[]) {
  const trends = [trend(train), trend(test)] as const;
  return { trends, row: TABLE[`${trends[0]} ${trends[1]}`] ?? null };
}

interface Options {
  seed: number;
  n: number;
  noise: number;
  lr: number;
  hidden: number;
  maximize?: boolean;
  epochs?: number;
}

/** Losses on `n` points whose labels are wrong with the probability `noise`, and on 200 others that are right. */
function curves({ seed, n, noise, lr, hidden, maximize = false, epochs = 40 }: Options) {
  torch.manual_seed(seed);
  const [inputs, test_inputs] = [torch.randn(n, 6), torch.randn(200, 6)];
  const is_right = (x: torch.Tensor) => {
    const [a, b] = x.slice([0, 0], [-1, 2]).unstack(1) as [torch.Tensor, torch.Tensor];
    return a.greater(b);
  };
  const targets = is_right(inputs).notEqual(torch.rand(n).less(noise)).cast('int32');
  const test_targets = is_right(test_inputs).cast('int32');
  const model = new nn.Sequential(new nn.Linear(6, hidden), new nn.Tanh(), new nn.Linear(hidden, 2));
  const optimizer = new torch.optim.SGD(model.parameters(), { lr, momentum: 0.9, maximize });
  const loss_fn = new nn.CrossEntropyLoss();
  const [train, test]: [number[], number[]] = [[], []];
  for (let epoch = 0; epoch < epochs; epoch++) {
    optimizer.zero_grad();
    const loss = loss_fn(model(inputs), targets);
    loss.backward();
    optimizer.step();
    train.push(loss.item());
    torch.no_grad(() => {
      test.push(loss_fn(model(test_inputs), test_targets).item());
    });
  }
  return [train, test] as const;
}

const RUNS: Record<string, Options> = {
  'a network that learns': { seed: 0, n: 200, noise: 0, lr: 0.05, hidden: 16 },
  '24 points for 450 weights': { seed: 1, n: 24, noise: 0.1, lr: 0.05, hidden: 50 },
  'a learning rate near nothing': { seed: 0, n: 200, noise: 0, lr: 1e-6, hidden: 16 },
  'four labels in ten wrong': { seed: 0, n: 400, noise: 0.4, lr: 0.05, hidden: 16 },
  'a bug, the loss is maximized': { seed: 0, n: 200, noise: 0, lr: 0.05, hidden: 16, maximize: true },
};

/** Four significant digits. */
const short = (loss: number) => String(Number(loss.toPrecision(4)));
for (const [name, options] of Object.entries(RUNS)) {
  const [train, test] = curves(options);
  const { trends, row } = diagnose_losses(train, test);
  const line = (curve: readonly number[], t: Trend) => `${short(curve[0]!)} to ${short(curve.at(-1)!)} ${t}`;
  console.log(`${name}: train ${line(train, trends[0])}, test ${line(test, trends[1])}`);
  console.log(`  ${row === null ? 'not in the table' : `${row[0]} ${row[1]}: ${row[2]}`}`);
}
