import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import type { Optimizer, ParamState, StateDict } from './optimizer';
import { copied, mapped, read } from './plain';

type AnyOptimizer = Optimizer<object>;
interface NamedTensor {
  name: string;
  tensor: tf.Tensor;
}
type OptimizerClass = new (params: tf.Tensor[]) => AnyOptimizer;

/** As much of a tf.LayersModel as is needed, so that tfjs-layers need not be there. */
export interface TrainableModel {
  readonly trainableWeights: readonly { readonly originalName: string; read(): tf.Tensor }[];
}

/** From a weight to all of its model, in the model's order: what a saved model counts by. */
const siblings = new WeakMap<tf.Tensor, readonly tf.Tensor[]>();

/** The trainable weights of a `tf.LayersModel` with their names, to be given to an optimizer, whole or in groups. */
export function parametersOf(model: TrainableModel): [name: string, parameter: tf.Tensor][] {
  const weights = model.trainableWeights.map((weight) => weight.read());
  for (const p of weights) siblings.set(p, weights);
  return model.trainableWeights.map(({ originalName }, i) => [originalName, weights[i]!]);
}

const classes = new Map<string, OptimizerClass>();

/** Makes optimizers known by name to `tf.loadLayersModel`, which finds the name only. */
export function registerTfjsOptimizers(
  ...optimizers: { readonly prototype: AnyOptimizer; readonly name: string }[]
): void {
  for (const one of optimizers) classes.set(one.name, one as unknown as OptimizerClass);
  tf.serialization.registerClass(TfjsOptimizer);
}

/** What a saved model says of its optimizer. */
interface Saved {
  optimizer: string;
  param_groups: StateDict['param_groups'];
  state: Record<string, ParamState>;
}

// tfjs-layers turns snake case into camel case in every string of a config.
const guarded = (value: unknown) => JSON.stringify(value).replaceAll('_', '\\u005f');

const PREFIX = 'torch.optim';

/** A state as tfjs-layers saves it, as tensors with names; a number is a scalar whose name says so. */
function flattened(state: Readonly<Record<string, ParamState>>): NamedTensor[] {
  return Object.entries(state).flatMap(([id, entry]) =>
    Object.entries(entry).map(([key, value]) => {
      const name = `${PREFIX}/${id}/${key}`;
      if (value instanceof tf.Tensor) return { name, tensor: value };
      if (typeof value === 'number') return { name: `${name}/number`, tensor: tf.scalar(value) };
      throw new ValueError(
        `getWeights: the state '${key}' is neither a tensor nor a number, which is all that can be saved`,
      );
    }),
  );
}

/** What {@link flattened} made, as a state. The tensors are the caller's. */
function unflattened(weights: readonly NamedTensor[]): Record<string, ParamState> {
  const state: Record<string, ParamState> = {};
  for (const { name, tensor } of weights) {
    const [prefix, id, key, kind] = name.split('/');
    if (prefix !== PREFIX || !id || !key)
      throw new ValueError(`setWeights: '${name}' is no state of an optimizer of ours`);
    state[id] ??= {};
    state[id][key] = kind === 'number' ? tensor.dataSync()[0] : tensor;
  }
  return state;
}

/** One of our optimizers as a `tf.Optimizer`; {@link asTfjsOptimizer} makes it. */
export class TfjsOptimizer extends tf.Optimizer {
  static readonly className: string = 'TfjsTorchOptimizer';
  #optimizer: AnyOptimizer | null;
  /** Loaded, but the variables are not known yet. */
  #saved: Saved | null = null;
  /** The variables as the model lists them. */
  #order: readonly tf.Tensor[] = [];

  constructor(optimizer: AnyOptimizer | null) {
    super();
    this.#optimizer = optimizer;
    if (optimizer) this.#order = siblings.get(this.#parameters()[0]!) ?? [];
  }

  /** The optimizer itself: its groups, for a scheduler, …  @throws RuntimeError as long as a loaded one has not met its model */
  get optimizer(): AnyOptimizer {
    if (!this.#optimizer) {
      throw new RuntimeError('This optimizer was loaded and has no parameters yet: call optimizer.bind(model) first');
    }
    return this.#optimizer;
  }

  /** Gives a loaded optimizer the model that it belongs to; training does it too. Returns the optimizer. */
  bind(model: TrainableModel): AnyOptimizer {
    return this.#bind(parametersOf(model).map(([, p]) => p));
  }

  #bind(variables: readonly tf.Tensor[]): AnyOptimizer {
    this.#order = variables;
    if (!this.#saved) return this.optimizer;
    const { optimizer: name, param_groups, state } = this.#saved;
    const found = classes.get(name);
    if (!found) {
      throw new ValueError(
        `The saved optimizer is a ${name}: call registerTfjsOptimizers(${name}) before loading the model`,
      );
    }
    const groups = param_groups.map(({ params, ...options }) => ({
      ...options,
      params: (params as number[]).map((i) => {
        if (!variables[i])
          throw new ValueError(
            `The saved optimizer trains ${i + 1} weights or more, the model has ${variables.length} that are trainable: ` +
              'give an optimizer parametersOf(model) when layers are frozen already',
          );
        return variables[i];
      }),
    }));
    const optimizer = new found(groups as unknown as tf.Tensor[]);
    optimizer.load_state_dict({ state, param_groups });
    for (const entry of Object.values(state)) tf.dispose(entry as tf.TensorContainer);
    this.#saved = null;
    this.#optimizer = optimizer;
    return optimizer;
  }

  #parameters(): tf.Tensor[] {
    return this.optimizer.param_groups.flatMap((group) => group.params);
  }

  /** As `tf.Optimizer.minimize`. Variables of `varList` that the optimizer was not given stay as they are, as in torch. */
  override minimize(f: () => tf.Scalar, returnCost = false, varList?: tf.Variable[]): tf.Scalar | null {
    if (varList) this.#bind(varList);
    const mine = new Set(this.#parameters());
    return this.optimizer.minimize(
      f,
      returnCost,
      varList?.filter((v) => mine.has(v)),
    );
  }

  /** As `tf.Optimizer.computeGradients`, for this optimizer's parameters if `varList` is left out. */
  override computeGradients(f: () => tf.Scalar, varList?: tf.Variable[]) {
    return tf.variableGrads(f, varList ?? (this.#parameters() as tf.Variable[]));
  }

  /** One step with these gradients, by the names of the variables. They remain the caller's. */
  override applyGradients(gradients: tf.NamedTensorMap | NamedTensor[]): void {
    const entries = Array.isArray(gradients)
      ? gradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(gradients);
    const mine = new Map(this.#parameters().map((p) => [(p as tf.Variable).name, p]));
    const unknown = entries.find(([name]) => !mine.has(name));
    if (unknown) throw new ValueError(`applyGradients: '${unknown[0]}' is not one of the optimizer's parameters`);
    for (const p of mine.values()) internal.clearGrad(p);
    try {
      for (const [name, grad] of entries) {
        const p = mine.get(name)!;
        if (grad) p.grad = tf.keep(tf.clone(grad)) as unknown as typeof p.grad;
      }
      this.optimizer.step();
    } finally {
      for (const p of mine.values()) {
        const grad = internal.peekGrad(p);
        internal.clearGrad(p);
        grad?.dispose();
      }
    }
  }

  /** Where each parameter stands among the model's weights; behind them those that the model does not train. */
  #position(): (p: tf.Tensor) => number {
    const order = [...new Set([...this.#order, ...this.#parameters()])];
    return (p) => order.indexOf(p);
  }

  /** The state tensors, copied: the caller's. */
  override async getWeights(): Promise<NamedTensor[]> {
    if (this.#saved) return flattened(copied(this.#saved.state) as Saved['state']);
    const position = this.#position();
    const { state, param_groups } = this.optimizer.state_dict();
    const ids = param_groups.flatMap((group) => group.params as number[]);
    const params = this.#parameters();
    const placed = Object.entries(state).map(([id, entry]) => [position(params[ids.indexOf(Number(id))]!), entry]);
    tf.dispose(param_groups as unknown as tf.TensorContainer);
    return flattened(Object.fromEntries(placed));
  }

  /** Takes over what `getWeights` gave. The tensors remain the caller's. */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const state = unflattened(weights);
    if (this.#saved) {
      const values = (entry: ParamState) =>
        mapped(entry, (value) => (value instanceof tf.Tensor ? tf.keep(tf.clone(value)) : value));
      this.#saved.state = mapped(state, (entry) => values(entry as ParamState)) as Saved['state'];
      return;
    }
    this.optimizer.load_state_dict({ state, param_groups: this.#groups() });
  }

  /** The groups as JSON can hold them; a parameter is its position. */
  #groups(): StateDict['param_groups'] {
    const position = this.#position();
    return this.optimizer.param_groups.map(({ params, ...options }) => ({
      ...Object.fromEntries(Object.entries(options).map(([key, value]) => [key, read(value)])),
      params: params.map(position),
    }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { optimizer, param_groups } = this.#saved ?? {
      optimizer: this.optimizer.constructor.name,
      param_groups: this.#groups(),
    };
    return { optimizer, groups: guarded(param_groups) };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    _cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const loaded = new TfjsOptimizer(null);
    const param_groups = JSON.parse(config.groups as string) as StateDict['param_groups'];
    loaded.#saved = { optimizer: config.optimizer as string, param_groups, state: {} };
    return loaded as unknown as T;
  }

  /** Gives back the optimizer's state. */
  override dispose(): void {
    for (const entry of Object.values(this.#saved?.state ?? {})) tf.dispose(entry as tf.TensorContainer);
    this.#saved = null;
    this.#optimizer?.dispose();
  }
}

/**
 * One of our optimizers as a `tf.Optimizer`, for `model.compile({ optimizer })` of tfjs-layers and whatever else takes one.
 * Groups, hooks and schedulers of the optimizer go on working. A model that is saved with it can be loaded with
 * `tf.loadLayersModel`, in another process after {@link registerTfjsOptimizers}.
 * @throws ValueError for one that needs a closure (LBFGS): a tf.Optimizer is given the loss or its gradients once
 */
export function asTfjsOptimizer(optimizer: AnyOptimizer): TfjsOptimizer {
  if (optimizer.needsClosure) {
    const { name } = optimizer.constructor;
    throw new ValueError(
      `asTfjsOptimizer: ${name} evaluates the loss several times in a step, which a tf.Optimizer cannot: call ${name}.step(closure)`,
    );
  }
  registerTfjsOptimizers(optimizer.constructor as unknown as OptimizerClass & { prototype: AnyOptimizer });
  return new TfjsOptimizer(optimizer);
}
