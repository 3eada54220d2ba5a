// pytorch ——torch.optim.Adam, 其他调参的策略: weight decay, batch normalization, dropout, beside regularization.py.
import torch from 'tfjs-torch';

const { nn } = torch;

torch.manual_seed(0);
const LR = 0.01;

// 3、加入dropout层:dropout一般设置为0.5
const dropout = new nn.Dropout(0.5);
console.log(`${dropout(torch.ones(4, 12))}`);

// 2、batch normalization: 在神经网络中激活函数的前面,将按照特征进行normalization
const batch_norm = new nn.BatchNorm1d(24);
const net_Adam = new nn.Sequential(
  new nn.Linear(6, 24),
  batch_norm,
  new nn.ReLU(),
  new nn.Dropout(0.5),
  new nn.Linear(24, 3),
);
const inputs = torch.randn(48, 6);
const targets = inputs.slice([0, 0], [48, 3]).argmax(1);
const loss_fn = new nn.CrossEntropyLoss();

// 1.L2-正则化防止过拟合: 【weight_decay,一般建议0.0005】
const opt_Adam = new torch.optim.Adam(net_Adam.parameters(), {
  lr: LR,
  betas: [0.9, 0.99],
  eps: 1e-6,
  weight_decay: 0.0005,
});
for (let epoch = 0; epoch < 20; epoch++) {
  net_Adam.train();
  opt_Adam.zero_grad();
  const loss = loss_fn(net_Adam(inputs), targets);
  loss.backward();
  opt_Adam.step();
  net_Adam.eval();
  torch.no_grad(() => {
    const without = loss_fn(net_Adam(inputs), targets);
    console.log(`epoch ${epoch + 1}: loss ${loss.item().toFixed(4)}, without dropout ${without.item().toFixed(4)}`);
  });
}
console.log(`${batch_norm.running_mean!.slice(0, 4)}`);
console.log(`${batch_norm.running_var!.slice(0, 4)}`);
