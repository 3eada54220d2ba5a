import { RuntimeError } from '@tfjs-torch/core';

/** A numpy array of bytes. */
export class ByteArray {
  shape: number[] = [0];
  data = new Uint8Array();
}

// What a pickle may name. Each is a marker here: nothing that a file says is looked up, called or made.
const names = new Set([
  'numpy.core.multiarray _reconstruct',
  'numpy._core.multiarray _reconstruct',
  'numpy ndarray',
  'numpy dtype',
  '_codecs encode',
]);
class Global {
  constructor(readonly name: string) {}
}
class DType {
  constructor(readonly name: unknown) {}
}
class Mark {}

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { fatal: true });
const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/**
 * Reads a pickle of protocol 2, as Python 2 wrote CIFAR-10 and Python 3 writes its like: dicts (a Map), lists and tuples,
 * strings, integers, None, booleans and numpy arrays of bytes. It runs nothing: a pickle that names anything else is refused.
 *
 * @throws RuntimeError that names the file
 */
export function readPickle(file: string, bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = 0;

  const fail: (what: string) => never = (what) => {
    throw new RuntimeError(`${file}: expected a pickle of lists, strings and arrays of bytes, ${what}`);
  };
  const take = (n: number): number => {
    if (at + n > bytes.length) fail(`found its end after ${bytes.length} bytes (truncated)`);
    at += n;
    return at - n;
  };
  const u8 = () => bytes[take(1)]!;
  const u32 = () => view.getUint32(take(4), true);
  const span = (n: number) => {
    const from = take(n);
    return bytes.subarray(from, from + n);
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    const text = latin1.decode(span((end < 0 ? bytes.length : end) - at));
    take(1);
    return text;
  };
  const pop = (): unknown => {
    if (stack.length === 0) fail('found one that takes what it has not put');
    return stack.pop();
  };
  const popToMark = (): unknown[] => {
    const mark = stack.findLastIndex((x) => x instanceof Mark);
    if (mark < 0) fail('found one that takes what it has not put');
    const items = stack.splice(mark);
    return items.slice(1);
  };
  const top = <T>(type: new (...args: never[]) => T): T => {
    const value = stack.at(-1);
    return value instanceof type ? value : fail(`found ${String(value)} in the place of a ${type.name}`);
  };
  const put = (key: number) => memo.set(key, stack.at(-1));
  const get = (key: number) =>
    stack.push(memo.has(key) ? memo.get(key) : fail('found one that takes what it has not put'));
  const tuple = (n: number) => {
    const items = Array.from({ length: n }, pop);
    stack.push(items.reverse());
  };

  const append = (items: readonly unknown[]) => {
    const list = top<unknown[]>(Array);
    for (const item of items) list.push(item);
  };
  /** Keys and values in turn. */
  const setItems = (items: readonly unknown[]) => {
    const dict = top<Map<unknown, unknown>>(Map);
    for (let i = 0; i + 1 < items.length; i += 2) dict.set(items[i], items[i + 1]);
  };

  function named(): Global {
    const name = `${line()} ${line()}`;
    return names.has(name) ? new Global(name) : fail(`found one that names ${name.replace(' ', '.')}: it was not run`);
  }

  function reduce(): unknown {
    const args = pop();
    const callee = pop();
    const name = callee instanceof Global && Array.isArray(args) ? callee.name : '';
    const [first] = Array.isArray(args) ? args : [];
    if (name.endsWith('_reconstruct')) return new ByteArray();
    if (name === 'numpy dtype') return new DType(first);
    if (name === '_codecs encode' && typeof first === 'string') return bytesOf(first);
    return fail(`found a call of ${name.replace(' ', '.') || String(callee)}: it was not run`);
  }

  /** numpy's `__setstate__`: (version, shape, dtype, is in Fortran's order, bytes). */
  function build(): void {
    const state = pop();
    if (stack.at(-1) instanceof DType) return;
    const array = top(ByteArray);
    const [, shape, dtype, fortran, content] = Array.isArray(state) ? state : [];
    const data = typeof content === 'string' ? bytesOf(content) : content;
    const isBytes = dtype instanceof DType && (dtype.name === 'u1' || dtype.name === 'uint8') && fortran === false;
    if (!isBytes || !Array.isArray(shape) || !(data instanceof Uint8Array)) {
      fail('found an array of something else');
    }
    const size = shape.reduce((a, b) => a * b, 1);
    if (data.length !== size) fail(`found ${data.length} bytes in an array of ${shape.join(' × ')}`);
    Object.assign(array, { shape, data });
  }

  if (bytes[0] !== 0x80 || bytes[1] !== 2) fail(`found bytes ${[...bytes.subarray(0, 2)].join(' ')}, which begin none`);
  at = 2;
  for (;;) {
    const opcode = u8();
    switch (String.fromCharCode(opcode)) {
      case '.':
        return pop();
      case '(':
        stack.push(new Mark());
        break;
      case '}':
        stack.push(new Map());
        break;
      case ']':
      case ')':
        stack.push([]);
        break;
      case 'N':
        stack.push(null);
        break;
      case '\x88':
        stack.push(true);
        break;
      case '\x89':
        stack.push(false);
        break;
      case 'K':
        stack.push(u8());
        break;
      case 'M':
        stack.push(view.getUint16(take(2), true));
        break;
      case 'J':
        stack.push(view.getInt32(take(4), true));
        break;
      case 'U':
        stack.push(latin1.decode(span(u8())));
        break;
      case 'T':
        stack.push(span(u32()));
        break;
      case 'X':
        stack.push(utf8.decode(span(u32())));
        break;
      case '\x85':
        tuple(1);
        break;
      case '\x86':
        tuple(2);
        break;
      case '\x87':
        tuple(3);
        break;
      case 't':
        stack.push(popToMark());
        break;
      case 'a':
        append([pop()]);
        break;
      case 'e':
        append(popToMark());
        break;
      case 's':
        setItems([pop(), pop()].reverse());
        break;
      case 'u':
        setItems(popToMark());
        break;
      case 'q':
        put(u8());
        break;
      case 'r':
        put(u32());
        break;
      case 'h':
        get(u8());
        break;
      case 'j':
        get(u32());
        break;
      case 'c':
        stack.push(named());
        break;
      case 'R':
        stack.push(reduce());
        break;
      case 'b':
        build();
        break;
      default:
        fail(`found the opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${at - 1}`);
    }
  }
}
