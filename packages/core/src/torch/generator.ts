// torch's CPU generator: MT19937 with the words, and the cached normal sample, in the order that ATen uses them
// (c10/core/MT19937RNGEngine.h, ATen/CPUGeneratorImpl.cpp).
import { RuntimeError, ValueError } from '../python/errors';

const N = 624;
const M = 397;

/** Bytes of torch's `CPUGeneratorImplState`, which is what `get_state` gives. */
const stateBytes = 5056;
const offsets = { seed: 0, left: 8, seeded: 12, next: 16, words: 24, normalY: 24 + 8 * N + 8, normalIsValid: 5040 };

const defaultSeed = 67280421310721n;

const checkSeed = (seed: number | bigint): bigint => {
  if (typeof seed === 'number' && !Number.isInteger(seed)) {
    throw new RuntimeError(`manual_seed expected a long, but got ${Number.isFinite(seed) ? 'float' : String(seed)}`);
  }
  if (typeof seed !== 'number' && typeof seed !== 'bigint') {
    throw new RuntimeError(`manual_seed expected a long, but got ${typeof seed}`);
  }
  const big = BigInt(seed);
  if (big < -(1n << 63n) || big >= 1n << 64n) throw new ValueError('Overflow when unpacking long long');
  return BigInt.asUintN(64, big);
};

const narrow = (seed: bigint): number | bigint => (seed <= Number.MAX_SAFE_INTEGER ? Number(seed) : seed);

export class Generator {
  readonly #words = new Uint32Array(N);
  #next = N;
  #seed = defaultSeed;
  #cachedNormal: number | null = null;

  constructor() {
    this.#reseed(defaultSeed);
  }

  /** Restarts the sequence. A seed is a 64-bit integer (negative ones wrap); the generator uses its low 32 bits, as torch's. */
  manual_seed(seed: number | bigint): this {
    this.#reseed(checkSeed(seed));
    return this;
  }

  /** The seed last given: a number where it is a safe integer, else a bigint. */
  initial_seed(): number | bigint {
    return narrow(this.#seed);
  }

  /** Seeds with 53 bits from the system's entropy and returns them. */
  seed(): number {
    const [high, low] = crypto.getRandomValues(new Uint32Array(2));
    const seed = (high! & 0x1fffff) * 2 ** 32 + low!;
    this.#reseed(BigInt(seed));
    return seed;
  }

  /** The whole state in the bytes of torch's `Generator.get_state()`, a ByteTensor there. */
  get_state(): Uint8Array {
    const bytes = new Uint8Array(stateBytes);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(offsets.seed, this.#seed, true);
    // A generator that was seeded and not used yet has left = 1, next = 0; its words stand unmixed.
    const fresh = this.#next === N && this.#untouched;
    view.setInt32(offsets.left, fresh ? 1 : N + 1 - this.#next, true);
    view.setInt32(offsets.seeded, 1, true);
    view.setUint32(offsets.next, fresh ? 0 : this.#next, true);
    for (let i = 0; i < N; i++) view.setUint32(offsets.words + 8 * i, this.#words[i]!, true);
    if (this.#cachedNormal !== null) {
      view.setFloat64(offsets.normalY, this.#cachedNormal, true);
      view.setInt32(offsets.normalIsValid, 1, true);
    }
    return bytes;
  }

  /** Takes what `get_state` gave, here or in torch. */
  set_state(state: Uint8Array): this {
    if (!(state instanceof Uint8Array)) throw new TypeError('RNG state must be a Uint8Array');
    if (state.length !== stateBytes) {
      throw new RuntimeError(
        `Expected a CPUGeneratorImplState of size ${stateBytes} but found the input RNG state size to be ${state.length}`,
      );
    }
    const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
    const left = view.getInt32(offsets.left, true);
    const next = view.getUint32(offsets.next, true);
    const seeded = view.getInt32(offsets.seeded, true);
    if (seeded !== 1 || left < 1 || left > N || next > N) throw new RuntimeError('Invalid mt19937 state');
    this.#seed = view.getBigUint64(offsets.seed, true);
    for (let i = 0; i < N; i++) this.#words[i] = view.getUint32(offsets.words + 8 * i, true);
    this.#untouched = left === 1 && next === 0;
    this.#next = this.#untouched ? N : next;
    const valid = view.getInt32(offsets.normalIsValid, true) !== 0;
    this.#cachedNormal = valid ? view.getFloat64(offsets.normalY, true) : null;
    return this;
  }

  /** The next word, 32 bits. */
  random(): number {
    if (this.#next === N) this.#mix();
    let y = this.#words[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** The next 64 bits: two words, high first. */
  random64(): bigint {
    const high = this.random();
    return (BigInt(high) << 32n) | BigInt(this.random());
  }

  /** Uniform in [0, 1): 24 bits of one word, a float32. */
  uniform(): number {
    return (this.random() & 0xffffff) / 0x1000000;
  }

  /** Uniform in [0, 1): 53 bits of two words, a float64. */
  uniform53(): number {
    const high = this.random() & 0x1fffff;
    return (high * 2 ** 32 + this.random()) / 2 ** 53;
  }

  /** Standard normal, a float64. Two are made at a time and the second is kept in the state, as `at::normal_distribution<double>` does. */
  normal(): number {
    if (this.#cachedNormal !== null) {
      const cached = this.#cachedNormal;
      this.#cachedNormal = null;
      return cached;
    }
    const angle = 2 * Math.PI * this.uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform53()));
    this.#cachedNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  #untouched = true;

  #reseed(seed: bigint): void {
    const s = this.#words;
    this.#seed = seed;
    s[0] = Number(seed & 0xffffffffn);
    for (let i = 1; i < N; i++) {
      const previous = s[i - 1]! ^ (s[i - 1]! >>> 30);
      s[i] = Math.imul(previous, 1812433253) + i;
    }
    this.#next = N;
    this.#untouched = true;
    this.#cachedNormal = null;
  }

  #mix(): void {
    const s = this.#words;
    const twist = (i: number, j: number, k: number) => {
      const y = (s[i]! & 0x80000000) | (s[j]! & 0x7fffffff);
      s[i] = s[k]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    };
    for (let i = 0; i < N - M; i++) twist(i, i + 1, i + M);
    for (let i = N - M; i < N - 1; i++) twist(i, i + 1, i + M - N);
    twist(N - 1, 0, M - 1);
    this.#next = 0;
    this.#untouched = false;
  }
}

/** The generator behind every random function that is given none. Randomly seeded, until `manual_seed`. */
export const default_generator: Generator = new Generator();
default_generator.seed();

/** Seeds the default generator. A fraction is cut off, as `int(seed)` does. */
export function manual_seed(seed: number | bigint): Generator {
  return default_generator.manual_seed(typeof seed === 'number' && Number.isFinite(seed) ? Math.trunc(seed) : seed);
}

export function initial_seed(): number | bigint {
  return default_generator.initial_seed();
}

export function seed(): number {
  return default_generator.seed();
}

export function get_rng_state(): Uint8Array {
  return default_generator.get_state();
}

export function set_rng_state(state: Uint8Array): void {
  default_generator.set_state(state);
}
