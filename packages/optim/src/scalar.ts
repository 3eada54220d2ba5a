// Numbers as torch computes with them where a Python float meets a tensor without axes.

/** A Python float, or a float32 tensor without axes: then the other operand and the result are rounded to float32. */
export type Scalar = number | Float32Array;

export const single = (x: number): Float32Array => Float32Array.of(x);
export const numberOf = (x: Scalar): number => (typeof x === 'number' ? x : x[0]!);

const operation =
  (f: (a: number, b: number) => number) =>
  (a: Scalar, b: Scalar): Scalar => {
    const isNumber = typeof a === 'number' && typeof b === 'number';
    return isNumber ? f(a, b) : single(f(Math.fround(numberOf(a)), Math.fround(numberOf(b))));
  };

export const add = operation((a, b) => a + b);
export const sub = operation((a, b) => a - b);
export const mul = operation((a, b) => a * b);
const quotient = operation((a, b) => a / b);
/** A number by a tensor is the tensor's reciprocal times the number. */
export const div = (a: Scalar, b: Scalar): Scalar =>
  typeof a === 'number' && typeof b !== 'number' ? mul(quotient(single(1), b), a) : quotient(a, b);

export const less = (a: Scalar, b: Scalar): boolean => numberOf(a) < numberOf(b);
/** Python's `min` and `max`: the first unless the second is beyond it, so a NaN that comes first stays. */
export const min = (a: Scalar, b: Scalar): Scalar => (less(b, a) ? b : a);
export const max = (a: Scalar, b: Scalar): Scalar => (less(a, b) ? b : a);
