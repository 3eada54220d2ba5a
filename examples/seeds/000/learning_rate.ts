// pytorch ——torch.optim.Adam, 动态调整学习率: adjust_learning_rate, and ReduceLROnPlateau on a validation loss, beside
// learning_rate.py.
import torch from 'tfjs-torch';

const { nn } = torch;

torch.manual_seed(0);
const lr = 0.1;

/** Sets the learning rate to the initial LR decayed by 10 every t epochs,default=10 */
function adjust_learning_rate(optimizer: torch.optim.SGD, epoch: number, t = 10) {
  const new_lr = lr * 0.1 ** Math.floor(epoch / t);
  for (const param_group of optimizer.param_groups) {
    param_group.lr = new_lr;
  }
}

const inputs = torch.randn(60, 5);
const noise = torch.randn(60, 1);
const targets = inputs
  .slice([0, 0], [60, 1])
  .mul(2)
  .sub(inputs.slice([0, 1], [60, 1]))
  .add(noise.mul(0.3));
const train = [inputs.slice(0, 40), targets.slice(0, 40)] as const;
const valid = [inputs.slice(40), targets.slice(40)] as const;
const loss_fn = new nn.MSELoss();

function fit(model: torch.nn.Linear, optimizer: torch.optim.SGD) {
  optimizer.zero_grad();
  const loss = loss_fn(model(train[0]), train[1]);
  loss.backward();
  optimizer.step();
  return torch.no_grad(() => {
    return [loss, loss_fn(model(valid[0]), valid[1])] as const;
  });
}
const print = (epoch: number, rate: unknown, loss: torch.Tensor, valid_loss: torch.Tensor) =>
  console.log(
    `epoch ${epoch + 1}: lr ${Number(rate).toFixed(4)} loss ${loss.item().toFixed(4)} ${valid_loss.item().toFixed(4)}`,
  );

let model = new nn.Linear(5, 1);
let optimizer = new torch.optim.SGD(model.parameters(), { lr });
for (let epoch = 0; epoch < 20; epoch++) {
  adjust_learning_rate(optimizer, epoch, 5);
  const [loss, valid_loss] = fit(model, optimizer);
  print(epoch, optimizer.param_groups[0]!.lr, loss, valid_loss);
}

// torch.optim.lr_scheduler.ReduceLROnPlateau 基于验证测量结果来设置不同的学习率.
model = new nn.Linear(5, 1);
optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.3 });
const scheduler = new torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1 });
for (let epoch = 0; epoch < 20; epoch++) {
  const [loss, valid_loss] = fit(model, optimizer);
  scheduler.step(valid_loss);
  print(epoch, optimizer.param_groups[0]!.lr, loss, valid_loss);
}
