// pytorch ——torch.optim.Adam, 4、集成方法: bagging, boosting, stacking, beside ensembles.py.
import torch from 'tfjs-torch';

const { nn } = torch;

torch.manual_seed(0);

/** In class 1 where sin(2x) > y, but for one label in ten. */
function points(n: number) {
  const x = torch.rand(n, 2).mul(4).sub(2);
  const y = torch.sin(x.slice([0, 0], [n, 1]).flatten().mul(2)).greater(x.slice([0, 1], [n, 1]).flatten());
  const flipped = torch.rand(n).less(0.1);
  return [x, y.notEqual(flipped).cast('int32')] as const;
}

const [inputs, targets] = points(200);
const [test_inputs, test_targets] = points(400);
const loss_fn = new nn.CrossEntropyLoss({ reduction: 'none' });

type Model = torch.nn.Sequential | torch.nn.Linear;

function fit(model: Model, x: torch.Tensor, y: torch.Tensor, weights?: torch.Tensor, steps = 40, lr = 0.05) {
  const optimizer = new torch.optim.Adam(model.parameters(), { lr });
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad();
    const losses = loss_fn(model(x), y);
    const loss = weights === undefined ? losses.mean() : losses.mul(weights).sum();
    loss.backward();
    optimizer.step();
  }
  return model;
}

const scores = (model: Model, x: torch.Tensor) => torch.no_grad(() => nn.functional.softmax(model(x), 1));

const accuracy = (score: torch.Tensor, y: torch.Tensor) => score.argmax(1).eq(y).sum().item() / y.size;

function report(name: string, models: Model[], ensemble: torch.Tensor) {
  const alone = models.map((model) => accuracy(scores(model, test_inputs), test_targets));
  const [least, most] = [Math.min(...alone), Math.max(...alone)];
  const together = accuracy(ensemble, test_targets);
  console.log(`${name}: alone ${least.toFixed(3)} to ${most.toFixed(3)}, together ${together.toFixed(3)}`);
}

// bagging: 同质弱学习器,相互独立地并行学习这些弱学习器,并按照某种确定性的平均过程将它们组合起来
const strong = () => new nn.Sequential(new nn.Linear(2, 32), new nn.Tanh(), new nn.Linear(32, 2));

let models: Model[] = [];
for (let i = 0; i < 6; i++) {
  const chosen = torch.randint(0, 200, [200]);
  models.push(fit(strong(), inputs.gather(chosen), targets.gather(chosen)));
}
report(
  'bagging',
  models,
  models.map((model) => scores(model, test_inputs)).reduce((sum, score) => sum.add(score)),
);

// boosting: 以一种高度自适应的方法顺序地学习这些弱学习器(每个基础模型都依赖于前面的模型)
let weights: torch.Tensor = torch.full([200], 1 / 200);
models = [];
let ensemble: torch.Tensor = torch.zeros(400, 2);
for (let i = 0; i < 6; i++) {
  const weak = new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh(), new nn.Linear(3, 2));
  const model = fit(weak, inputs, targets, weights);
  const wrong = scores(model, inputs).argmax(1).notEqual(targets).cast('float32');
  const error = weights.mul(wrong).sum().item();
  const vote = Math.log((1 - error) / error);
  weights = weights.mul(torch.exp(wrong.mul(vote)));
  weights = weights.div(weights.sum());
  models.push(model);
  ensemble = ensemble.add(torch.eye(2).gather(scores(model, test_inputs).argmax(1)).mul(vote));
}
report('boosting', models, ensemble);

// stacking: 异质弱学习器,并行地学习它们,并通过训练一个「元模型」将它们组合起来
const [first, second] = [inputs.slice(0, 100), inputs.slice(100)];
const [first_targets, second_targets] = [targets.slice(0, 100), targets.slice(100)];
models = [
  fit(new nn.Linear(2, 2), first, first_targets),
  fit(new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 2)), first, first_targets),
  fit(new nn.Sequential(new nn.Linear(2, 8), new nn.Sigmoid(), new nn.Linear(8, 2)), first, first_targets),
];

const opinions = (x: torch.Tensor) =>
  torch.cat(
    models.map((model) => scores(model, x)),
    1,
  );

const meta = fit(new nn.Linear(6, 2), opinions(second), second_targets);
report('stacking', models, scores(meta, opinions(test_inputs)));
