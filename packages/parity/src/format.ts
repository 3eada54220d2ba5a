import { ValueError } from '@tfjs-torch/core';
import { same } from './same';
import { type DType, type HostTensor, isHostTensor, type Snapshot, type Step, type Trace, type Value } from './trace';

// docs/parity.md describes the file; record.py writes the same.

/** Up to so many numbers are written as numbers, more as base64. */
const LISTED = 64;

const arrays = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

// Little-endian, as every engine that tfjs runs on keeps them.
function toBase64({ buffer, byteOffset, byteLength }: HostTensor['data']): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

function fromBase64(text: string, dtype: DType): HostTensor['data'] {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const whole = bytes.length - (bytes.length % arrays[dtype].BYTES_PER_ELEMENT);
  return new arrays[dtype](bytes.buffer.slice(0, whole));
}

/** What JSON has numbers for. */
const isPlainNumber = (x: number) => Number.isFinite(x) && !Object.is(x, -0);

function encode(value: Value): unknown {
  if (typeof value === 'number')
    return isPlainNumber(value) ? value : { number: Object.is(value, -0) ? '-0' : `${value}` };
  if (isHostTensor(value)) {
    const listed = value.data.length <= LISTED && value.data.every(isPlainNumber);
    return { ...value, data: listed ? [...value.data] : toBase64(value.data) };
  }
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, encode(v)]));
}

function decodeTensor({ dtype, shape, data }: { dtype: DType; shape: number[]; data: number[] | string }): HostTensor {
  if (!(dtype in arrays))
    throw new ValueError(`golden: a tensor has dtype ${dtype}, which is none of ${Object.keys(arrays)}`);
  const values = typeof data === 'string' ? fromBase64(data, dtype) : arrays[dtype].from(data);
  const size = shape.reduce((a, b) => a * b, 1);
  if (values.length !== size) throw new ValueError(`golden: a tensor of shape [${shape}] has ${values.length} values`);
  return { dtype, shape, data: values };
}

function decode(x: unknown): Value {
  if (Array.isArray(x)) return x.map(decode);
  if (typeof x !== 'object' || x === null) return x as Value;
  if (isHostTensor(x)) return decodeTensor(x as never);
  if ('number' in x) return Number(x.number);
  return Object.fromEntries(Object.entries(x).map(([key, v]) => [key, decode(v)]));
}

/** In a file a step lacks what is as it was: `before`, the `param_groups`. */
type WrittenStep = Omit<Step, 'before' | 'param_groups'> & Partial<Pick<Step, 'before' | 'param_groups'>>;

function need(x: object, keys: readonly string[], what: string): void {
  const missing = keys.filter((key) => !(key in x));
  if (missing.length > 0) throw new ValueError(`golden: ${what} lacks ${missing.join(', ')}`);
}

/**
 * A trace of a golden file's text.
 * @throws ValueError if it is of another version, or broken
 */
export function parse(text: string): Trace {
  const { head, steps } = JSON.parse(text) as { head?: Trace['head']; steps?: unknown[] };
  if (head?.format !== 1) throw new ValueError(`golden: the format is ${head?.format}, and this reads 1`);
  need(head, ['dtype', 'optimizer'], 'the head');
  if (!Array.isArray(steps)) throw new ValueError('golden: there are no steps');
  let groups: Step['param_groups'] = null;
  let end: Snapshot | null = null;
  const decoded = steps.map((written, i) => {
    const given = decode(written) as unknown as WrittenStep;
    need(given, ['step', 'inputs', 'loss', 'grads', 'after'], `the step at ${i}`);
    const before = given.before ?? end;
    if (!before) throw new ValueError(`golden: the step at ${i} has nothing to begin with`);
    if (given.param_groups !== undefined) groups = given.param_groups;
    end = given.after;
    return { ...given, before, param_groups: groups };
  });
  return { head: decode(head) as unknown as Trace['head'], steps: decoded };
}

/** The text of a golden file: head and steps on a line each. */
export function stringify({ head, steps }: Trace): string {
  const line = (x: unknown) => JSON.stringify(encode(x as Value));
  const lines = steps.map(({ before, param_groups, ...rest }, i) => {
    const last = steps[i - 1];
    return line({
      ...rest,
      ...(!same(before, last?.after) && { before }),
      ...(!(last && same(param_groups, last.param_groups)) && { param_groups }),
    });
  });
  return `{"head":${line(head)},\n"steps":[\n${lines.join(',\n')}\n]}\n`;
}
