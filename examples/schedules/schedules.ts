import torch from 'tfjs-torch';

const { lr_scheduler, swa_utils } = torch.optim;
type Scheduler = torch.optim.lr_scheduler.LRScheduler;
export type Make = (optimizer: torch.optim.SGD) => Scheduler;

/** What docs/schedulers.md shows: a title and a scheduler on a base rate of 0.1. */
export const schedules: Record<string, [title: string, make: Make]> = {
  LambdaLR: ['LambdaLR: 1 / (1 + t / 10)', (o) => new lr_scheduler.LambdaLR(o, (t) => 1 / (1 + t / 10))],
  MultiplicativeLR: ['MultiplicativeLR: 0.95', (o) => new lr_scheduler.MultiplicativeLR(o, () => 0.95)],
  StepLR: ['StepLR: every 20, × 0.5', (o) => new lr_scheduler.StepLR(o, 20, 0.5)],
  MultiStepLR: ['MultiStepLR: at 30 and 80, × 0.3', (o) => new lr_scheduler.MultiStepLR(o, [30, 80], 0.3)],
  ConstantLR: ['ConstantLR: × 0.3 for 20', (o) => new lr_scheduler.ConstantLR(o, 0.3, 20)],
  LinearLR: ['LinearLR: from × 0.1 in 30', (o) => new lr_scheduler.LinearLR(o, 0.1, 1, 30)],
  ExponentialLR: ['ExponentialLR: × 0.97', (o) => new lr_scheduler.ExponentialLR(o, 0.97)],
  PolynomialLR: ['PolynomialLR: 80, power 2', (o) => new lr_scheduler.PolynomialLR(o, 80, 2)],
  CosineAnnealingLR: ['CosineAnnealingLR: T_max 70', (o) => new lr_scheduler.CosineAnnealingLR(o, 70)],
  CosineAnnealingWarmRestarts: [
    'CosineAnnealingWarmRestarts: T_0 15, T_mult 2',
    (o) => new lr_scheduler.CosineAnnealingWarmRestarts(o, 15, 2),
  ],
  CyclicLR: [
    'CyclicLR: 0.02 to 0.1, triangular2',
    (o) => new lr_scheduler.CyclicLR(o, 0.02, 0.1, 10, { mode: 'triangular2' }),
  ],
  OneCycleLR: ['OneCycleLR: max_lr 0.1, 100 steps', (o) => new lr_scheduler.OneCycleLR(o, 0.1, 100)],
  ReduceLROnPlateau: [
    'ReduceLROnPlateau: a metric that stops falling now and then',
    (o) => new lr_scheduler.ReduceLROnPlateau(o, { patience: 5, factor: 0.5 }),
  ],
  SequentialLR: [
    'SequentialLR: warm-up for 10, then cosine',
    (o) =>
      new lr_scheduler.SequentialLR(
        o,
        [new lr_scheduler.LinearLR(o, 0.01, 1, 10), new lr_scheduler.CosineAnnealingLR(o, 90)],
        [10],
      ),
  ],
  ChainedScheduler: [
    'ChainedScheduler: ConstantLR and ExponentialLR',
    (o) =>
      new lr_scheduler.ChainedScheduler([
        new lr_scheduler.ConstantLR(o, 0.3, 20),
        new lr_scheduler.ExponentialLR(o, 0.97),
      ]),
  ],
  SWALR: ['SWALR: to 0.03 in 30', (o) => new swa_utils.SWALR(o, 0.03, 30)],
};

/** Falls and stays, three times: what ReduceLROnPlateau is shown on. */
const metric = (t: number) => 1 - 0.3 * Math.floor(t / 33) - 0.02 * Math.min(t % 33, 10);

/** The rates of epochs 0 to n - 1: a row for each group. */
export function ratesOf(make: Make, n: number): number[][] {
  const optimizer = new torch.optim.SGD([new torch.nn.Parameter(torch.ones(1))], 0.1, 0.9);
  const scheduler = make(optimizer);
  const rates = scheduler instanceof lr_scheduler.ReduceLROnPlateau ? follow(scheduler, n) : scheduler.preview(n);
  return optimizer.param_groups.map((_, i) => rates.map((row) => row[i]!));
}

function follow(scheduler: InstanceType<typeof lr_scheduler.ReduceLROnPlateau>, n: number): number[][] {
  return Array.from({ length: n }, (_, t) => {
    if (t > 0) scheduler.step(metric(t));
    return [...scheduler.get_last_lr()];
  });
}
