/** What a tensor's numbers are; torch's other integers are recorded as int32, its other floats as float32. */
export type DType = 'float64' | 'float32' | 'int32' | 'bool';

/** A tensor on the host: its numbers in row-major order. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

/** What a trace holds of an input, an option or an entry of a state. */
export type Value =
  | null
  | boolean
  | number
  | string
  | HostTensor
  | readonly Value[]
  | { readonly [key: string]: Value };

/** The options of one param group, and the names of its parameters. */
export type Group = Readonly<Record<string, Value>> & { readonly params: readonly string[] };

/** How a trace was made; docs/parity.md explains each entry. */
export interface Head {
  /** Version of the format. */
  readonly format: 1;
  /** Torch's version; null of a run of ours. */
  readonly torch: string | null;
  /** tfjs's version and backend; null of a run of torch. */
  readonly tfjs: string | null;
  /** Rounding depends on it: its model and instruction set. */
  readonly cpu: string | null;
  readonly machine: string | null;
  /** How many threads computed; null if not known. */
  readonly threads: number | null;
  /** Of the default generator, as decimal digits if it has more than 53 bits. */
  readonly seed: number | string | null;
  /** Of the parameters. */
  readonly dtype: DType;
  readonly optimizer: {
    readonly name: string;
    readonly defaults: Readonly<Record<string, Value>>;
  };
}

/** A model and an optimizer at one moment. */
export interface Snapshot {
  /** Parameters and buffers by their names in `state_dict()`. */
  readonly model: Readonly<Record<string, HostTensor>>;
  /** By parameter, by torch's names of the entries; null if it was not recorded. */
  readonly state: Readonly<Record<string, Readonly<Record<string, Value>>>> | null;
}

/** One step of training, complete in itself: a trace may leave out steps. */
export interface Step {
  /** Counted from 0 over all steps, the recorded and the others. */
  readonly step: number;
  /** The batch. */
  readonly inputs: readonly Value[];
  /** The options in use; null if they were not recorded. */
  readonly param_groups: readonly Group[] | null;
  readonly before: Snapshot;
  /** Of the parameters as they were before, as are the gradients; null if it was not recorded. */
  readonly loss: number | null;
  /** By parameter; null where there was none. */
  readonly grads: Readonly<Record<string, HostTensor | null>>;
  /** Null if it was not recorded. */
  readonly after: Snapshot | null;
}

/** A recorded run of training, by torch or by us. */
export interface Trace {
  readonly head: Head;
  readonly steps: readonly Step[];
}

export const isHostTensor = (x: unknown): x is HostTensor =>
  typeof x === 'object' && x !== null && 'dtype' in x && 'shape' in x && 'data' in x;
