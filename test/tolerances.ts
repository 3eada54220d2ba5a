/**
 * Every tolerance of the tests that compare with torch, with its reason. An error is the largest difference in a tensor over
 * the largest magnitude in it.
 */
export const tolerances = {
  /** Both compute in float64, in the same order; what is left is the last bits of `pow` and `sqrt`, over 20 steps. */
  optimReference: 1e-12,
  /**
   * Torch's CPU kernels contract a·x + y to one rounding (FMA) and tfjs's do not, and torch's vectorised sqrt is 1 ulp off at
   * times: some 1e-7 a step, over 20 steps.
   */
  optimOps: 2e-6,
  /** Host arithmetic in float64 on both sides; V8's `**` is up to 1 ulp off CPython's, and a schedule multiplies on. */
  learningRate: 1e-12,
} as const;

/** The largest difference over the largest magnitude; infinite where one is NaN and the other not. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Number.isNaN(a) !== Number.isNaN(e)) return Number.POSITIVE_INFINITY;
    if (Object.is(a, e) || Number.isNaN(a)) continue;
    difference = Math.max(difference, Math.abs(a - e));
    magnitude = Math.max(magnitude, Math.abs(e));
  }
  return difference === 0 ? 0 : difference / magnitude;
}
