import type { Algebra } from '../rule/expr';

/** The operations over arrays of one length; each result is rounded by being stored. */
export function arrayOperations<A extends Float32Array | Float64Array>(
  make: (length: number) => A,
): Omit<Algebra<A>, 'leaf'> {
  const lift =
    (f: (a: number, b: number, c: number) => number) =>
    (a?: A, b = a, c = a): A => {
      const result = make(a!.length);
      for (let i = 0; i < result.length; i++) result[i] = f(a![i]!, b![i]!, c![i]!);
      return result;
    };
  return {
    add: lift((a, b) => a + b),
    sub: lift((a, b) => a - b),
    mul: lift((a, b) => a * b),
    div: lift((a, b) => a / b),
    max: lift((a, b) => (a > b || Number.isNaN(a) ? a : b)),
    min: lift((a, b) => (a < b || Number.isNaN(a) ? a : b)),
    gt: lift((a, b) => Number(a > b)),
    where: lift((condition, a, b) => (condition ? a : b)),
    neg: lift((a) => -a),
    sqrt: lift(Math.sqrt),
    abs: lift(Math.abs),
    sign: lift((a) => Number(a > 0) - Number(a < 0)),
  };
}
