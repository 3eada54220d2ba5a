import * as tf from '@tensorflow/tfjs-core';
import { internal, isPlainObject, ValueError } from '@tfjs-torch/core';
import type { Optimizer } from '@tfjs-torch/optim';
import type { DType, Group, HostTensor, Snapshot, Value } from './trace';
import { isHostTensor } from './trace';

/** A module, or its named tensors: `[['weight', w], ['bias', b]]`. */
export type Model = ModuleLike | Iterable<readonly [name: string, tensor: tf.Tensor]>;

/** What a trace needs of a `Module`. */
export interface ModuleLike {
  named_parameters(): Iterable<readonly [name: string, parameter: tf.Tensor]>;
  state_dict(): Readonly<Record<string, unknown>>;
  load_state_dict(state_dict: Readonly<Record<string, unknown>>): unknown;
}

/** `f()`, which leaves no tensor behind. Not through tidy's result: tfjs would look for tensors among its numbers. */
function tidily<T>(f: () => T): T {
  let result!: T;
  tf.tidy(() => {
    result = f();
  });
  return result;
}

const isModule = (model: Model): model is ModuleLike => 'named_parameters' in model;

/** @throws ValueError for a tensor of strings or complex numbers */
export function hostTensor(t: tf.Tensor): HostTensor {
  if (t.dtype === 'string' || t.dtype === 'complex64')
    throw new ValueError(`a trace cannot hold a tensor of ${t.dtype}`);
  const dense = t.is_sparse ? t.to_dense() : t;
  return { dtype: dense.dtype as DType, shape: [...dense.shape], data: dense.dataSync().slice() as HostTensor['data'] };
}

/** A copy on the host. @throws ValueError for what a trace cannot hold */
export function hostValue(x: unknown, what: string): Value {
  if (x instanceof tf.Tensor) return hostTensor(x);
  if (x === undefined || x === null) return null;
  if (Array.isArray(x)) return x.map((v, i) => hostValue(v, `${what}[${i}]`));
  if (isPlainObject(x)) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, hostValue(v, `${what}.${k}`)]));
  if (typeof x === 'number' || typeof x === 'boolean' || typeof x === 'string') return x;
  throw new ValueError(
    `a trace cannot hold ${what}, a ${typeof x}: it holds tensors, numbers, strings, lists and dicts`,
  );
}

/** A tensor of ours: float64 becomes float32. */
export const deviceTensor = ({ dtype, shape, data }: HostTensor): tf.Tensor =>
  tf.tensor(
    dtype === 'float64' ? Float32Array.from(data) : data.slice(),
    [...shape],
    dtype === 'float64' ? 'float32' : dtype,
  );

/** The same value with tensors of ours in it. */
export function deviceValue(x: Value): unknown {
  if (isHostTensor(x)) return deviceTensor(x);
  if (Array.isArray(x)) return x.map(deviceValue);
  if (typeof x !== 'object' || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, v]) => [key, deviceValue(v)]));
}

/** A model and its optimizer as a trace sees them: by name. */
export class Subject {
  /** The parameters of a module, or all tensors of a list. */
  readonly params: ReadonlyMap<string, tf.Tensor>;
  readonly #model: Model;
  readonly #names = new Map<tf.Tensor, string>();
  readonly optimizer: Optimizer<object> | null;

  /** @throws ValueError if the optimizer has a parameter that the model has not */
  constructor(model: Model, optimizer: Optimizer<object> | null) {
    this.#model = model;
    this.params = new Map(isModule(model) ? model.named_parameters() : model);
    for (const [name, p] of this.params) this.#names.set(p, name);
    this.optimizer = optimizer;
    optimizer?.param_groups.forEach(({ params }, i) => {
      const at = params.findIndex((p) => !this.#names.has(p));
      if (at >= 0) throw new ValueError(`parameter ${at} of the optimizer's group ${i} is not one of the model's`);
    });
  }

  /** The names of each group's parameters. */
  get #groupNames(): string[][] {
    return (this.optimizer?.param_groups ?? []).map(({ params }) => params.map((p) => this.#names.get(p)!));
  }

  groups(): Group[] | null {
    if (!this.optimizer) return null;
    const names = this.#groupNames;
    return this.optimizer.param_groups.map(({ params: _, param_names: __, ...options }, i) => ({
      ...(hostValue(options, `group ${i}`) as Record<string, Value>),
      params: names[i]!,
    }));
  }

  snapshot({ state = true } = {}): Snapshot {
    return tidily(() => {
      const model: Record<string, HostTensor> = {};
      const entries = isModule(this.#model) ? Object.entries(this.#model.state_dict()) : this.params;
      for (const [name, t] of entries) if (t instanceof tf.Tensor) model[name] = hostTensor(t);
      return { model, state: state && this.optimizer ? this.#state(this.optimizer) : null };
    });
  }

  #state(optimizer: Optimizer<object>): NonNullable<Snapshot['state']> {
    const saved = optimizer.state_dict();
    const names = this.#groupNames.flat();
    const state = Object.fromEntries(
      Object.entries(saved.state).map(([id, entry]) => {
        const name = names[Number(id)] ?? id;
        return [name, hostValue(entry, `the state of ${name}`) as Record<string, Value>];
      }),
    );
    tf.dispose([saved.state, saved.param_groups] as tf.TensorContainer);
    return state;
  }

  /** Makes model and optimizer what a trace recorded. @throws what `load_state_dict` throws for what does not fit */
  load({ model, state }: Snapshot, groups: readonly Group[] | null): void {
    const tensors = deviceValue(model as Value) as Record<string, tf.Tensor>;
    try {
      if (isModule(this.#model)) this.#model.load_state_dict(tensors);
      else this.#assign(tensors);
    } finally {
      tf.dispose(tensors);
    }
    if (this.optimizer && state) this.#loadState(state, groups);
  }

  #assign(tensors: Readonly<Record<string, tf.Tensor>>): void {
    for (const [name, p] of this.params) {
      const from = tensors[name];
      if (!from) throw new ValueError(`the golden has no tensor ${name}`);
      if (!tf.util.arraysEqual(from.shape, p.shape)) {
        throw new ValueError(`${name} has shape [${p.shape}], and in the golden [${from.shape}]`);
      }
    }
    for (const [name, p] of this.params) internal.withGrad(false, () => p.copy_(tensors[name]!));
  }

  #loadState(state: NonNullable<Snapshot['state']>, groups: readonly Group[] | null): void {
    const names = this.#groupNames;
    let id = 0;
    const ids = new Map(names.flat().map((name) => [name, id++]));
    if (groups && groups.length !== names.length) {
      throw new ValueError(`the optimizer has ${names.length} param groups, and in the golden ${groups.length}`);
    }
    const param_groups = names.map((own, i) => {
      const { params, ...options } = groups?.[i] ?? this.optimizer!.param_groups[i]!;
      if (groups && [...(params as string[])].sort().join() !== [...own].sort().join()) {
        throw new ValueError(
          `group ${i} of the optimizer holds ${own.join(', ')}, and in the golden ${(params as string[]).join(', ')}`,
        );
      }
      return { ...(deviceValue(options as Value) as object), params: own.map((name) => ids.get(name)!) };
    });
    const unknown = Object.keys(state).filter((name) => !ids.has(name));
    if (unknown.length > 0)
      throw new ValueError(`the golden has a state for ${unknown.join(', ')}, and the optimizer no such parameter`);
    const entries = Object.entries(state).map(
      ([name, entry]) => [ids.get(name)!, deviceValue(entry as Value)] as const,
    );
    const loaded = { state: Object.fromEntries(entries), param_groups };
    try {
      this.optimizer!.load_state_dict(loaded);
    } finally {
      tf.dispose([loaded.state, loaded.param_groups] as unknown as tf.TensorContainer);
    }
  }

  /** Forgets all gradients, those of parameters that the optimizer has not too. */
  clearGrads(): void {
    for (const p of this.params.values()) internal.clearGrad(p);
  }

  grads(): Record<string, HostTensor | null> {
    return tidily(() => {
      const grads: Record<string, HostTensor | null> = {};
      for (const [name, p] of this.params) {
        const grad = internal.peekGrad(p);
        grads[name] = grad && hostTensor(grad);
      }
      return grads;
    });
  }
}
