import { Tensor } from '@tensorflow/tfjs-core';

// Values as Python writes them, for torch's `repr` and messages.

/** A number as Python's repr of a float: `1.0`, `1e-08`, `nan`. */
export function float(x: number): string {
  const text = number(x);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function number(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (Object.is(x, -0)) return '-0.0';
  const magnitude = Math.abs(x);
  if (magnitude !== 0 && (magnitude < 1e-4 || (magnitude >= 1e16 && !Number.isInteger(x)))) {
    const [mantissa, exponent] = x.toExponential().split('e') as [string, string];
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  return String(x);
}

/**
 * An option as Python's `str` prints it. A whole number reads as an int, for JavaScript cannot tell 1 from 1.0; but 0 and 1
 * in an array as floats: torch's tuples hold floats (betas), and beyond 1 whole numbers (Rprop's step_sizes).
 */
export function str(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return number(value);
  if (value instanceof Tensor && value.rank === 0) return float(value.dataSync()[0]!);
  if (Array.isArray(value)) {
    return value.every((x) => typeof x === 'string')
      ? `[${value.map((x) => `'${x}'`).join(', ')}]`
      : `(${value.map(element).join(', ')})`;
  }
  return String(value);
}

const element = (x: unknown) =>
  typeof x === 'number' && Math.abs(x) <= 1 ? float(x) : x instanceof Tensor ? String(x) : str(x);
