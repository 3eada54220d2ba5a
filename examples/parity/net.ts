import { readFileSync } from 'node:fs';
import { parse, record, teacherForced } from '@tfjs-torch/parity';
import torch from 'tfjs-torch';

const { nn, optim } = torch;

/** As in main.py. */
class Gated extends nn.Module {
  linear: torch.nn.Linear;

  constructor(inputs: number, outputs: number) {
    super();
    this.linear = new nn.Linear(inputs, 2 * outputs);
  }

  forward(x: torch.Tensor) {
    const [values, gates] = torch.chunk(this.linear(x), 2, 1);
    return values!.tanh().mul(gates!.sigmoid());
  }
}

export class Net extends nn.Module {
  first = new Gated(1, 8);
  second = new Gated(8, 8);
  out = new nn.Linear(8, 1);

  forward(x: torch.Tensor) {
    return this.out(this.second(this.first(x)));
  }
}

/** What main.py recorded. */
export const golden = parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'));
const steps = golden.steps.length;

function script(net: Net) {
  const optimizer = new optim.AdamW(net.parameters(), { lr: 0.05, weight_decay: 0.1 });
  const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, steps);
  const loss = (x: torch.Tensor, y: torch.Tensor) => nn.functional.mse_loss(net(x), y);
  return { optimizer, scheduler, loss };
}

/** One step from each of torch's states. */
export function forced(net = new Net()) {
  const { optimizer, loss } = script(net);
  return teacherForced(golden, net, optimizer, loss);
}

/** The whole script from the same seed: weights and batches are torch's because the random numbers are. */
export function trained() {
  torch.manual_seed(0);
  const net = new Net();
  const { optimizer, scheduler, loss } = script(net);
  function* batches(): Generator<[torch.Tensor, torch.Tensor]> {
    for (let step = 0; step < steps; step++) {
      const x = torch.rand(16, 1).mul(6).sub(3);
      yield [x, x.mul(2).sin()];
      scheduler.step(); // when the step has been taken
    }
  }
  return record(net, optimizer, loss, batches());
}
