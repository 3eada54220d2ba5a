import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  AssertionError,
  bind,
  type Dtype,
  empty,
  internal,
  no_grad,
  Parameter,
  RuntimeError,
  type Signature,
  signature,
} from '@tfjs-torch/core';
import { embedding } from '../functional';
import { assertSupported, paddingRow } from '../functional/embedding';
import * as init from '../init';
import { Module } from '../module';
import { assertFloat32 } from '../names';
import { parameter } from './parameter';

interface Shared {
  /** A row that stays as it is: zeros, unless written to. */
  padding_idx?: number | null;
  /** Only null. */
  max_norm?: number | null;
  norm_type?: number;
  /** Only false. */
  scale_grad_by_freq?: boolean;
  /** The weight's gradient is a SparseTensor of the rows that were used: for SparseAdam, SGD and Adagrad. */
  sparse?: boolean;
}
export interface EmbeddingOptions extends Shared {
  /** The weight instead of random values, [num_embeddings, embedding_dim]. */
  _weight?: tf.Tensor | null;
  _freeze?: boolean;
  /** Accepted and ignored. */
  device?: unknown;
  /** Only float32. */
  dtype?: Dtype | null;
}
type SharedPositional = [
  padding_idx: number | null,
  max_norm: number | null,
  norm_type: number,
  scale_grad_by_freq: boolean,
  sparse: boolean,
];

/** A table of `num_embeddings` vectors: indices [*] (int32) → [*, embedding_dim]. They start from N(0, 1). */
export class Embedding extends Module {
  readonly num_embeddings: number;
  readonly embedding_dim: number;
  readonly padding_idx: number | null;
  readonly norm_type: number;
  readonly sparse: boolean;
  declare weight: Parameter;

  /** @throws AssertionError where padding_idx or the shape of _weight does not fit */
  constructor(
    ...args: Args<
      [num_embeddings: number, embedding_dim: number, ...shared: SharedPositional],
      EmbeddingOptions & { num_embeddings?: number; embedding_dim?: number }
    >
  ) {
    super();
    const { num_embeddings, embedding_dim, _weight, _freeze, ...options } = bind(embeddingSignature, args);
    assertFloat32(options.dtype);
    this.num_embeddings = num_embeddings;
    this.embedding_dim = embedding_dim;
    this.padding_idx = paddingRow(options.padding_idx, num_embeddings);
    assertSupported(options.max_norm, options.scale_grad_by_freq);
    this.norm_type = options.norm_type;
    this.sparse = options.sparse;
    const shape = [num_embeddings, embedding_dim];
    if (_weight !== null) {
      if (!tf.util.arraysEqual(_weight.shape, shape)) {
        throw new AssertionError('Shape of weight does not match num_embeddings and embedding_dim');
      }
      this.weight = new Parameter(_weight, !_freeze);
      return;
    }
    const negative = shape.find((n) => n < 0);
    if (negative !== undefined) {
      throw new RuntimeError(`Trying to create tensor with negative dimension ${negative}: [${shape.join(', ')}]`);
    }
    this.weight = parameter(empty(...shape));
    this.weight.requires_grad = !_freeze;
    this.reset_parameters();
  }

  reset_parameters(): void {
    init.normal_(this.weight);
    const row = this.padding_idx;
    if (row === null) return;
    no_grad(() => {
      const isPadding = tf.tidy(() => tf.equal(tf.range(0, this.num_embeddings, 1, 'int32'), row).expandDims(1));
      internal.update(
        this.weight,
        tf.tidy(() => tf.where(isPadding, tf.zerosLike(this.weight), this.weight)),
      );
      isPadding.dispose();
    });
  }

  override forward(input: tf.Tensor): tf.Tensor {
    return embedding(input, this.weight, { padding_idx: this.padding_idx, sparse: this.sparse });
  }

  override extra_repr(): string {
    const parts = [`${this.num_embeddings}, ${this.embedding_dim}`];
    if (this.padding_idx !== null) parts.push(`padding_idx=${this.padding_idx}`);
    if (this.norm_type !== 2) parts.push(`norm_type=${this.norm_type}`);
    if (this.sparse) parts.push('sparse=True');
    return parts.join(', ');
  }

  /**
   * A table of given vectors, [num_embeddings, embedding_dim], which shares their storage until one of the two is written to.
   * @param args freeze (default true: it is not trained), then the constructor's options
   */
  static from_pretrained(
    embeddings: tf.Tensor,
    ...args: Args<[freeze: boolean, ...shared: SharedPositional], Shared & { freeze?: boolean }>
  ): Embedding {
    const { freeze, ...options } = bind(pretrainedSignature, [embeddings, ...args]);
    if (embeddings.rank !== 2) throw new AssertionError('Embeddings parameter is expected to be 2-dimensional');
    const [rows, columns] = embeddings.shape as [number, number];
    const { padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse } = options;
    return new Embedding(rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, {
      _weight: embeddings,
      _freeze: freeze,
    });
  }
}
const shared = 'padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False';
const embeddingSignature: Signature<Required<EmbeddingOptions> & { num_embeddings: number; embedding_dim: number }> =
  signature(
    'Embedding.__init__',
    `num_embeddings, embedding_dim, ${shared}, _weight=None, _freeze=False, device=None, dtype=None`,
  );
const pretrainedSignature: Signature<Required<Shared> & { freeze: boolean }> = signature(
  'Embedding.from_pretrained',
  `embeddings, freeze=True, ${shared}`,
);
