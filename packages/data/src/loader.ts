import * as tf from '@tensorflow/tfjs-core';
import {
  AssertionError,
  bind,
  default_generator,
  type Generator,
  internal,
  randomSeed,
  type Signature,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core';
import { type Collated, default_collate, default_convert } from './collate';
import { batchOf, type DatasetLike, IterableDataset, itemOf } from './dataset';
import { BatchSampler, lengthOf, RandomSampler, type Sampler, SequentialSampler } from './samplers';

export interface DataLoaderOptions<T, B> {
  /** Default 1. `null`: no batches, each sample as it is. */
  batch_size?: number | null;
  shuffle?: boolean | null;
  sampler?: Sampler<number> | null;
  batch_sampler?: Sampler<number[]> | null;
  /** There are no workers. Above 0, `for await` begins `num_workers` × `prefetch_factor` batches ahead of their turn. */
  num_workers?: number;
  collate_fn?: ((samples: Awaited<T>[]) => B) | null;
  /** Accepted and ignored. */
  pin_memory?: boolean;
  drop_last?: boolean;
  timeout?: number;
  /** Never called: there are no workers. */
  worker_init_fn?: ((id: number) => void) | null;
  multiprocessing_context?: unknown;
  generator?: Generator | null;
  /** Default 2, where `num_workers` is above 0. */
  prefetch_factor?: number | null;
  persistent_workers?: boolean;
  pin_memory_device?: string;
  in_order?: boolean;
}

type LoaderArgs<T, B> =
  | [
      batch_size: number | null,
      shuffle: boolean | null,
      options?: Omit<DataLoaderOptions<T, B>, 'batch_size' | 'shuffle'>,
    ]
  | [batch_size: number | null, options?: Omit<DataLoaderOptions<T, B>, 'batch_size'>]
  | [options?: DataLoaderOptions<T, B>];

type Bound<T, B> = Required<DataLoaderOptions<T, B>> & { dataset: DatasetLike<T> | IterableDataset<T> };

const loaderSignature: Signature<unknown> = signature(
  'DataLoader.__init__',
  'dataset: dict, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None, ' +
    'pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, multiprocessing_context=None, generator=None, *, ' +
    "prefetch_factor=None, persistent_workers=False, pin_memory_device='', in_order=True",
);

/**
 * Batches of a dataset, in torch's order for the same seed. `for (const [x, y] of loader)`; with `for await` samples and
 * `collate_fn` may be asynchronous, and the event loop turns between batches. `loader.length` is `len(loader)`.
 */
export class DataLoader<T, B = Collated<Awaited<T>>> implements Iterable<B> {
  readonly dataset: DatasetLike<T> | IterableDataset<T>;
  readonly batch_size: number | null;
  readonly drop_last: boolean;
  readonly sampler: Sampler<number>;
  readonly batch_sampler: Sampler<number[]> | null;
  readonly collate_fn: (samples: Awaited<T>[]) => B;
  readonly generator: Generator | null;
  readonly num_workers: number;
  readonly pin_memory: boolean;
  readonly timeout: number;
  readonly persistent_workers: boolean;
  readonly #prefetchFactor: number;
  #seeded = false;
  #reportedLength: number | null = null;
  #last: unknown = null;

  constructor(dataset: DatasetLike<T> | IterableDataset<T>, ...args: LoaderArgs<T, B>) {
    const o = bind(loaderSignature as Signature<Bound<T, B>>, [dataset, ...args]);
    checkWorkers(o);
    checkSampling(o);
    const isStream = dataset instanceof IterableDataset;
    if (!isStream) checkDataset(dataset);
    this.dataset = dataset;
    this.sampler =
      o.sampler ??
      (isStream
        ? endless
        : o.shuffle
          ? new RandomSampler(dataset, { generator: o.generator })
          : new SequentialSampler(dataset));
    this.batch_sampler =
      o.batch_sampler ?? (o.batch_size === null ? null : new BatchSampler(this.sampler, o.batch_size, o.drop_last));
    this.batch_size = o.batch_sampler ? null : o.batch_size;
    this.drop_last = o.drop_last;
    const join = this.batch_sampler ? default_collate : default_convert;
    this.collate_fn = o.collate_fn ?? (join as unknown as typeof this.collate_fn);
    this.generator = o.generator;
    this.num_workers = o.num_workers;
    this.#prefetchFactor = o.prefetch_factor ?? 2;
    this.pin_memory = o.pin_memory;
    this.timeout = o.timeout;
    this.persistent_workers = o.persistent_workers;
    fix(this);
  }

  /** The number of batches. @throws TypeError where the dataset or the sampler has no length */
  get length(): number {
    if (!(this.dataset instanceof IterableDataset)) return lengthOf(this.batch_sampler ?? this.sampler);
    const n = lengthOf(this.dataset);
    this.#reportedLength = n;
    if (this.batch_size === null) return n;
    return this.drop_last ? Math.floor(n / this.batch_size) : Math.ceil(n / this.batch_size);
  }

  [Symbol.iterator](): IterableIterator<B> {
    const { dataset } = this;
    if (dataset instanceof IterableDataset && Symbol.asyncIterator in dataset) {
      throw new TypeError(`${dataset.constructor.name} is asynchronous: iterate with \`for await\``);
    }
    // torch makes the sampler's iterator, then draws the seed that workers would have, then the sampler draws its own.
    const indices = this.#index[Symbol.iterator]();
    this.#drawBaseSeed();
    return this.#run(dataset instanceof IterableDataset ? this.#chunks(dataset) : indices);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Awaited<B>> {
    const indices = this.#index[Symbol.iterator]();
    this.#drawBaseSeed();
    return this.#runAsync(this.dataset instanceof IterableDataset ? this.#chunksAsync(this.dataset) : indices);
  }

  /** Frees the batch made last. Nothing else is the loader's: a loop's batches are freed as the loop goes on. */
  dispose(): void {
    tf.dispose(this.#last as tf.TensorContainer);
    this.#last = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #index(): Sampler<number[]> | Sampler<number> {
    return this.batch_sampler ?? this.sampler;
  }

  #drawBaseSeed(): void {
    if (this.#seeded && this.persistent_workers) return;
    this.#seeded = true;
    randomSeed(this.generator ?? default_generator);
  }

  *#run(requests: Iterator<Request<T>>): IterableIterator<B> {
    for (let count = 1; ; count++) {
      const { done, value } = requests.next();
      if (done) return;
      internal.loaderRound(this, count === 1);
      this.#warnIfLonger(count);
      yield this.#remember(this.#ready(value) ?? this.collate_fn(this.#samples(value) as Awaited<T>[]));
    }
  }

  async *#runAsync(requests: Requests<T>): AsyncIterableIterator<Awaited<B>> {
    let turned = performance.now();
    const begun: Promise<Pending<B> | null>[] = [];
    for (let count = 1; ; count++) {
      while (begun.length <= this.#ahead) begun.push(thrownInTurn(this.#begin(requests)));
      const next = await begun.shift()!;
      if (!next) return;
      internal.loaderRound(this, count === 1);
      this.#warnIfLonger(count);
      const batch = await next();
      if (performance.now() - turned > 16) {
        // A page stays alive: a promise alone would not let it draw.
        await new Promise((resolve) => setTimeout(resolve));
        turned = performance.now();
      }
      yield this.#remember(batch);
    }
  }

  /** How many batches are begun before their turn. */
  get #ahead(): number {
    return this.num_workers * this.#prefetchFactor;
  }

  async #begin(requests: Requests<T>): Promise<Pending<B> | null> {
    const { done, value } = await requests.next();
    if (done) return null;
    const make = async () => this.#ready(value) ?? (await this.#joined(value));
    if (this.#ahead === 0) return make;
    const batch = thrownInTurn(make());
    return () => batch;
  }

  async #joined(request: Request<T>): Promise<B> {
    const items = this.#samples(request);
    const samples = (await (this.batch_sampler ? Promise.all(items as T[]) : items)) as Awaited<T>[];
    return await this.collate_fn(samples);
  }

  /** The whole batch at once, where the dataset can and nobody wants to join the samples in another way. */
  #ready(request: Request<T>): B | null {
    if (this.dataset instanceof IterableDataset || !this.#joinsByDefault || this.batch_sampler === null) return null;
    return batchOf(this.dataset, request as number[]) as B | null;
  }

  #samples(request: Request<T>): T[] | T {
    const { dataset } = this;
    if (dataset instanceof IterableDataset) return request as T[] | T;
    return Array.isArray(request)
      ? (request as number[]).map((i) => itemOf(dataset, i))
      : itemOf(dataset, request as number);
  }

  get #joinsByDefault(): boolean {
    return (this.collate_fn as unknown) === default_collate;
  }

  #remember<R>(batch: R): R {
    if (this.#joinsByDefault) this.#last = batch;
    return batch;
  }

  *#chunks(samples: Iterable<T>): IterableIterator<T[] | T> {
    if (this.batch_size === null) return yield* samples;
    let chunk: T[] = [];
    for (const sample of samples) {
      chunk.push(sample);
      if (chunk.length === this.batch_size) {
        yield chunk;
        chunk = [];
      }
    }
    if (chunk.length > 0 && !this.drop_last) yield chunk;
  }

  async *#chunksAsync(samples: Iterable<T> | AsyncIterable<T>): AsyncIterableIterator<T[] | T> {
    if (this.batch_size === null) return yield* samples;
    let chunk: T[] = [];
    for await (const sample of samples) {
      chunk.push(sample);
      if (chunk.length === this.batch_size) {
        yield chunk;
        chunk = [];
      }
    }
    if (chunk.length > 0 && !this.drop_last) yield chunk;
  }

  #warnIfLonger(fetched: number): void {
    const reported = this.#reportedLength;
    if (reported === null || fetched <= reported) return;
    warn(
      `Length of IterableDataset ${this.dataset.constructor.name} was reported to be ${reported}` +
        `(when accessing len(dataloader)), but ${fetched} samples have been fetched. `,
    );
  }
}

/** What a step asks for: indices of a map-style dataset, or the samples of a stream. */
type Request<T> = number[] | number | T[] | T;
type Requests<T> = Iterator<Request<T>> | AsyncIterator<Request<T>>;
type Pending<B> = () => Promise<B>;

/** An error of what is begun ahead is not unhandled: it is thrown when somebody waits for it. */
function thrownInTurn<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => {});
  return promise;
}

/** The sampler of a stream, which has no indices. */
const endless: Sampler<number> = {
  *[Symbol.iterator]() {
    for (;;) yield 0;
  },
};

const fixed = ['batch_size', 'batch_sampler', 'sampler', 'drop_last', 'dataset', 'persistent_workers'] as const;

/** As in torch, what the samplers were made from cannot be set later. */
function fix<T, B>(loader: DataLoader<T, B>): void {
  for (const name of fixed) {
    const value = loader[name];
    Object.defineProperty(loader, name, {
      get: () => value,
      set: () => {
        throw new ValueError(`${name} attribute should not be set after ${loader.constructor.name} is initialized`);
      },
    });
  }
}

type Options<T, B> = Required<DataLoaderOptions<T, B>>;

function checkDataset(dataset: object): void {
  const isMap =
    Array.isArray(dataset) || ArrayBuffer.isView(dataset) || typeof Reflect.get(dataset, 'get') === 'function';
  if (isMap) return;
  throw new TypeError(
    'dataset should be an array, an object with get(index) and length, or an IterableDataset; ' +
      `got ${dataset?.constructor?.name ?? typeof dataset}`,
  );
}

function checkWorkers<T, B>(o: Options<T, B>): void {
  if (o.num_workers < 0) {
    throw new ValueError('num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.');
  }
  if (o.timeout < 0) throw new ValueError('timeout option should be non-negative');
  if (o.num_workers === 0 && o.timeout !== 0) {
    throw new AssertionError('_SingleProcessDataLoaderIter requires timeout == 0');
  }
  if (o.num_workers === 0 && o.prefetch_factor !== null) {
    throw new ValueError(
      'prefetch_factor option could only be specified in multiprocessing.' +
        'let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.',
    );
  }
  if (o.prefetch_factor !== null && o.prefetch_factor < 0) {
    throw new ValueError('prefetch_factor option should be non-negative');
  }
  if (o.persistent_workers && o.num_workers === 0) {
    throw new ValueError('persistent_workers option needs num_workers > 0');
  }
}

function checkSampling<T, B>(o: Bound<T, B>): void {
  if (o.dataset instanceof IterableDataset) {
    const refused = (name: string, value: unknown) =>
      `DataLoader with IterableDataset: expected unspecified ${name} option, but got ${name}=${value}`;
    if (o.shuffle) throw new ValueError(refused('shuffle', 'True'));
    if (o.sampler !== null) throw new ValueError(refused('sampler', o.sampler));
    if (o.batch_sampler !== null) throw new ValueError(refused('batch_sampler', o.batch_sampler));
  }
  if (o.sampler !== null && o.shuffle) throw new ValueError('sampler option is mutually exclusive with shuffle');
  if (o.batch_sampler !== null) {
    if (o.batch_size !== 1 || o.shuffle || o.sampler !== null || o.drop_last) {
      throw new ValueError(
        'batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last',
      );
    }
  } else if (o.batch_size === null && o.drop_last) {
    throw new ValueError('batch_size=None option disables auto-batching and is mutually exclusive with drop_last');
  }
}
