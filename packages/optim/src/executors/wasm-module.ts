import { type Algebra, fold } from '../rule/expr';
import type { Trace } from '../rule/rule';

// The binary format of WebAssembly with SIMD, as far as an element-wise loop needs it.

type Code = readonly number[];

const unsigned = (x: number): number[] => (x < 128 ? [x] : [(x & 127) | 128, ...unsigned(x >>> 7)]);
const signed = (x: number): number[] => (x < 64 ? [x & 127] : [(x & 127) | 128, ...signed(x >>> 7)]);
const float = (x: number) => new Uint8Array(new Float32Array([x]).buffer);
const vector = (parts: readonly Code[]) => [...unsigned(parts.length), ...parts.flat()];
const section = (id: number, body: Code) => [id, ...unsigned(body.length), ...body];

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const get = (local: number) => [0x20, ...unsigned(local)];
const set = (local: number) => [0x21, ...unsigned(local)];
const integer = (x: number) => [0x41, ...signed(x)];
const load = (offset: number) => [0x28, 2, ...unsigned(offset)];
const add = 0x6a;
const and = 0x71;
const simd = (operation: number, ...immediates: number[]) => [0xfd, ...unsigned(operation), ...immediates];
const splat = simd(0x13);

/** Four values at once, or one of those that are left: nothing past the end of a tensor is read or written. */
const four = { bytes: 16, load: simd(0x00, 2, 0), store: simd(0x0b, 2, 0) };
const one = { bytes: 4, load: simd(0x5c, 2, 0), store: simd(0x5a, 2, 0, 0) };

/** Runs `body` and adds `step` to the local `counter`, as long as that is below `limit`. */
const loop = (counter: number, limit: Code, step: number, body: Code) => [
  ...[0x02, 0x40, 0x03, 0x40, ...get(counter), ...limit, 0x4f, 0x0d, 1],
  ...body,
  ...[...get(counter), ...integer(step), add, ...set(counter), 0x0c, 0, 0x0b, 0x0b],
];

/** What a kernel reads and then what it writes, in the order in which a row of its table has their addresses. */
export const operands = ({ slots, outputs }: Trace) => ({
  inputs: ['param', 'grad', ...slots],
  outputs: Object.keys(outputs),
});

/**
 * The module of a traced rule. It imports the memory `m.m` and exports `f(from, to, ...scalars)`: between these addresses
 * lies a table of unsigned 32-bit integers that has a row for each parameter, of its bytes and the addresses of its operands.
 */
export function assemble(traced: Trace, shared: boolean): Uint8Array<ArrayBuffer> {
  const { inputs, outputs } = operands(traced);
  const words = 1 + inputs.length + outputs.length;
  const args = [I32, I32, ...traced.scalars.map(() => F32)];
  // The locals: the arguments, a copy of the row, how far the loop is in its tensors, and the values.
  const [row, end, scalars, bytes] = [0, 1, 2, args.length];
  const cursor = bytes + words;
  let last = cursor;

  const uniforms: number[] = [];
  const keep = (into: number[], ...code: Iterable<number>[]) => {
    for (const part of code) into.push(...part);
    into.push(...set(++last));
    return last;
  };
  const uniform = (...code: Iterable<number>[]) => keep(uniforms, ...code, splat);
  const constant = (x: number) => uniform([0x43], float(x));
  const address = (operand: number) => [...get(bytes + 1 + operand), ...get(cursor), add];

  /** The update of as many elements as `width` has. */
  function update(width: typeof four): number[] {
    const code: number[] = [];
    const op =
      (operation: number) =>
      (...values: number[]) =>
        keep(code, ...values.map(get), simd(operation));
    const [less, greater, unequal, both, either] = [op(0x43), op(0x44), op(0x42), op(0x4e), op(0x50)];
    const where: Algebra<number>['where'] = (condition, a, b) => op(0x52)(a!, b!, condition!);
    const results = fold(Object.values(traced.outputs), {
      leaf(kind, name) {
        if (kind === 'const') return constant(name as number);
        if (kind === 'scalar') return uniform(get(scalars + traced.scalars.indexOf(name as string)));
        return keep(code, address(inputs.indexOf(name as string)), width.load);
      },
      add: op(0xe4),
      sub: op(0xe5),
      mul: op(0xe6),
      div: op(0xe7),
      // Not f32x4.max and min, which take 0 for greater than -0.
      max: (a, b) => where(either(greater(a!, b!), unequal(a!, a!)), a!, b!),
      min: (a, b) => where(either(less(a!, b!), unequal(a!, a!)), a!, b!),
      gt: greater,
      where,
      neg: op(0xe1),
      sqrt: op(0xe3),
      abs: op(0xe0),
      sign(a) {
        const [zero, unit] = [constant(0), constant(1)];
        return op(0xe5)(both(greater(a!, zero), unit), both(less(a!, zero), unit));
      },
    });
    results.forEach((value, i) => {
      code.push(...address(inputs.length + i), ...get(value), ...width.store);
    });
    return code;
  }

  const [fours, ones] = [update(four), update(one)];
  const rows = loop(row, get(end), 4 * words, [
    ...Array.from({ length: words }, (_, i) => [...get(row), ...load(4 * i), ...set(bytes + i)]).flat(),
    ...integer(0),
    ...set(cursor),
    ...loop(cursor, [...get(bytes), ...integer(-16), and], four.bytes, fours),
    ...loop(cursor, get(bytes), one.bytes, ones),
  ]);
  const locals = vector([
    [...unsigned(words + 1), I32],
    [...unsigned(last - cursor), V128],
  ]);
  const body = [...locals, ...uniforms, ...rows, 0x0b];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector(args.map((type) => [type])), 0]])),
    ...section(2, vector([[1, 0x6d, 1, 0x6d, 2, ...(shared ? [3, 0, ...unsigned(65536)] : [0, 0])]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[1, 0x66, 0, 0]])),
    ...section(10, vector([[...unsigned(body.length), ...body]])),
  ]);
}
