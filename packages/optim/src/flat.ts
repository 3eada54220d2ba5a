// Vectors over all parameters, on the host: float32 values, sums in float64.

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.fround(sum);
}

export const absSum = (a: Float32Array) => Math.fround(a.reduce((sum, x) => sum + Math.abs(x), 0));

/** The largest magnitude; NaN where there is one. */
export const largest = (a: Float32Array) => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

export function scaled(a: Float32Array, factor: number): Float32Array {
  const f = Math.fround(factor);
  return a.map((x) => x * f);
}

/** a += factor · b, rounded once, as torch's add_ with alpha. */
export function addScaled(a: Float32Array, factor: number, b: Float32Array): Float32Array {
  const f = Math.fround(factor);
  for (let i = 0; i < a.length; i++) a[i] = a[i]! + f * b[i]!;
  return a;
}

export const difference = (a: Float32Array, b: Float32Array) => a.map((x, i) => x - b[i]!);

export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
