export { relativeError } from '@tfjs-torch/parity';

/**
 * Every tolerance of the tests that compare with torch, with its reason. An error is the largest difference in a tensor over
 * the largest magnitude in it.
 */
export const tolerances = {
  /** Both compute in float64, in the same order; what is left is the last bits of `pow` and `sqrt`, over 50 steps. */
  optimReference: 1e-12,
  /** Between a distance in docs/optimizers.md and what a run finds: it is one rounding of a last bit, of `pow` or of a CPU's sqrt. */
  distanceDrift: 3,
  /**
   * Torch's CPU kernels contract a·x + y to one rounding (FMA) and tfjs's do not, and torch's vectorised sqrt is 1 ulp off at
   * times: some 1e-7 a step, over 50 steps.
   */
  optimOps: 2e-6,
  /**
   * LBFGS against torch as it is, whose sums depend on the CPU: it divides differences of sums, so what their order moves grows from
   * iteration to iteration. So many times what torch is apart from itself with its sums added up in float64, as ours are; from
   * that torch LBFGS is no further than `optimOps`.
   */
  lbfgs: 1e-5,
  lbfgsOverOwn: 1.1,
  /** One step from torch's own state: rounding in a forward pass and its gradients, and in the rule (`optimOps`). */
  parityStep: 5e-6,
  /** A gradient that is a sum of 16 terms and passes near 0: the errors stay, and what they are relative to does not. */
  parityCancelled: 1e-4,
  /** Twelve steps on end: each adds its own rounding to what the ones before it left. */
  parityFree: 1e-5,
  /** Host arithmetic in float64 on both sides; V8's `**` is up to 1 ulp off CPython's, and a schedule multiplies on. */
  learningRate: 1e-12,
  /** A rate that is a tensor is float32; torch multiplies in float32, we in float64 and then round. */
  tensorLearningRate: 1e-6,
  /** Gradients of convolutions, beside tfjs's own kernels: float32 sums of at most 3 · 28 · 28 products, in another order. */
  kernel: 2e-6,
  /** A layer's output and gradients, against torch.float64: some roundings in sums of up to 400 products. */
  layer: 2e-5,
  /** Look-ups, and sums of a few float32. */
  embedding: 5e-7,
  /** A loss, against torch.float64: the last bits of exp and log, and a sum. */
  loss: 1e-6,
  /** Values and gradients of single operations, against torch's float32: the last bits of exp, tan and their like, and short sums. */
  operation: 2e-6,
  /** A second derivative from differences of the first one over 1/32: what they leave out is of the fourth, and rounding is over 1/32. */
  secondDerivative: 2e-3,
  /** A matrix that both orthogonalize in float64 and round; torch does it in float32, 1.3e-6 from that in these cases. */
  orthogonal: 1.5e-7,
  /**
   * LeNet and the programs of examples/seeds from torch's weights, against torch.float64; a program's loss relative above 1. The
   * largest gradient error of a state is about torch.float32's own, but a rounding error flips the winner of a ReLU or MaxPool tie
   * in a state now and then, in torch's float32 too: so many states may lie above. In the small nets of the programs, whose sums
   * cancel, so many more than of torch's.
   */
  forcedLoss: 1e-6,
  forcedGradientOverOwn: 3,
  forcedGradient: 1e-5,
  forcedStatesAbove: 0.03,
  /**
   * tfjs-wasm adds the terms of a sum one after the other, in float32: 6e-7 off in 200 terms, where TensorFlow is 1e-7 off. In
   * 000/ensembles, whose losses are such sums, the farthest is 1.12e-6 off, and 95 of 640 states lie above, 18 of torch's own.
   */
  forcedLossWasm: 1.2e-6,
  forcedStatesAboveWasm: 0.13,
  /** Absolute, from the nearest of torch's own variants; after a flip they are 1e-2 apart, so only the first losses count. */
  lenetFreeRun: 1e-6,
  /**
   * Of the six seeds, on a CPU other than that of the golden files; there, none. At seed 4 two values of a MaxPool window are
   * 2.5e-7 apart in the first step: torch in channels-last and tfjs-node take one, torch else the other.
   */
  lenetRunsLeftElsewhere: 1,
  /**
   * A loss of a program of examples/seeds from the nearest of torch's own variants, relative above 1: as lenetFreeRun. Where
   * these have been further from each other than that, so many times their distance: in the CIFAR-10 network Adam makes a step
   * of lr of a rounding error in a gradient near 0, and within 20 batches torch's variants are 1e-5 to 1e-3 apart, at 24 seeds.
   * On wasm that happens first at the sixth batch of 004/adam, so five are judged there.
   */
  seedFreeRun: 1e-6,
  seedFreeRunOverOwn: 3,
  /** What such a program prints, likewise: the last of the four digits that are printed. */
  seedPrinted: 1.01e-4,
  /** In points of percent: after an epoch the runs of one seed are as far apart as those of two. */
  lenetAccuracy: 0.4,
} as const;
