/**
 * The largest difference over the largest magnitude in `expected`: 0 if all are equal, infinite if one is NaN where the other
 * is not, if a number is not finite where the other is, or if the lengths differ.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i]!;
    if (Number.isFinite(e)) magnitude = Math.max(magnitude, Math.abs(e));
    difference = Math.max(difference, apart(actual[i]!, e));
  }
  return difference === 0 ? 0 : difference / magnitude;
}

/** How far two numbers are apart; NaN from NaN not at all, from all else infinitely. */
export function apart(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

const words = new DataView(new ArrayBuffer(8));
/** A float's place among all floats of its kind, in order; both zeros are at 0. */
const place32 = (x: number) => {
  words.setFloat32(0, x);
  const bits = words.getInt32(0);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
};
const place64 = (x: number) => {
  words.setFloat64(0, x);
  const bits = words.getBigInt64(0);
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
};

/**
 * How many floats of `dtype` one has to go from `a` to `b`: 0 for equal ones and for two NaNs, 1 for neighbours, infinite
 * from a NaN or an infinity to anything else.
 */
export function ulpDistance(a: number, b: number, dtype: 'float32' | 'float64' = 'float32'): number {
  if (apart(a, b) === 0) return 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
  if (dtype === 'float32') return Math.abs(place32(a) - place32(b));
  const steps = place64(a) - place64(b);
  return Number(steps < 0n ? -steps : steps);
}
