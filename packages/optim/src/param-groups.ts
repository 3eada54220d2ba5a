import { Tensor } from '@tensorflow/tfjs-core';
import { isPlainObject, KeyError, pythonType, suggest, ValueError, warn } from '@tfjs-torch/core/base';

/** A parameter, or a pair of its name and it, as `model.named_parameters()` gives. */
export type Param = Tensor | readonly [name: string, parameter: Tensor];

/** One group to optimize with options of its own. Further keys are kept and saved. */
export type ParamGroupInput<O extends object> = { params: Tensor | Iterable<Param> } & Partial<O> & {
    [key: string]: unknown;
  };

/** What an optimizer is given: parameters, `[name, parameter]` pairs, or groups of them. */
export type ParamsInput<O extends object> = Iterable<Param> | Iterable<ParamGroupInput<O>>;

/** A group as the optimizer holds it: change an option here and the next step uses it. */
export type ParamGroup<O extends object = object> = O & {
  params: Tensor[];
  param_names?: string[];
  [key: string]: unknown;
};

/** In `defaults`: an option that every group must bring (torch.optim.optimizer.required). */
export const required = Symbol('<required parameter>');

/** torch.typename, for torch's messages. */
const typename = (value: unknown): string =>
  value instanceof Tensor
    ? ({ int32: 'torch.IntTensor', bool: 'torch.BoolTensor' }[value.dtype as string] ?? 'torch.FloatTensor')
    : pythonType(value);

const isIterable = (value: unknown): value is Iterable<unknown> =>
  value !== null && typeof value === 'object' && Symbol.iterator in value;

const unordered =
  'optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will change ' +
  'between runs. Please use a list instead.';

/** What a constructor was given, as a list of groups; nothing is checked beyond what that needs. */
export function toGroups(params: unknown): unknown[] {
  if (params instanceof Tensor) {
    throw new TypeError(
      `params argument given to the optimizer should be an iterable of Tensors or dicts, but got ${typename(params)}`,
    );
  }
  if (!isIterable(params)) throw new TypeError(`'${typename(params)}' object is not iterable`);
  if (params instanceof Set) warn(`${unordered} This will be an error in a future release.`, 'FutureWarning');
  const list = [...params];
  if (list.length === 0) throw new ValueError('optimizer got an empty parameter list');
  return isPlainObject(list[0]) ? list : [{ params: list }];
}

// Names that other libraries use for an option of torch's; too far from it to count as a slip of the finger.
const foreign: Readonly<Record<string, string>> = { learningrate: 'lr', epsilon: 'eps', weightdecay: 'weight_decay' };

function checkKeys(group: object, options: readonly string[]) {
  const known = ['params', 'param_names', ...options];
  for (const key of Object.keys(group)) {
    if (known.includes(key)) continue;
    const meant = foreign[key.toLowerCase().replaceAll('_', '')] ?? suggest(key, options);
    if (meant !== null && options.includes(meant)) {
      throw new TypeError(`param_group has an unknown option '${key}'. Did you mean '${meant}'?`);
    }
  }
}

/** Splits named parameters; `names` is null if none is named. */
function split(list: readonly unknown[]): { tensors: unknown[]; names: string[] | null } {
  const isPair = (p: unknown): p is [string, unknown] =>
    Array.isArray(p) && p.length === 2 && typeof p[0] === 'string' && p[1] instanceof Tensor;
  const pairs = list.filter(isPair);
  if (pairs.length > 0 && pairs.length < list.length) {
    throw new ValueError('all optimizer params should be with/without names. Some param names are missing');
  }
  return pairs.length > 0
    ? { tensors: pairs.map(([, p]) => p), names: pairs.map(([name]) => name) }
    : { tensors: [...list], names: null };
}

interface LeafState {
  is_leaf?: boolean;
  retains_grad?: boolean;
}

/**
 * Checks one group as torch does and gives the entries it is to have; `group` itself is left as it is, so that a refused
 * call changes nothing. `existing`: the groups that are there already.
 */
export function prepareGroup(
  group: unknown,
  defaults: Readonly<Record<string, unknown>>,
  existing: readonly ParamGroup[],
): ParamGroup {
  if (!isPlainObject(group)) throw new TypeError(`param_group must be a dict, but got <class '${typename(group)}'>`);
  if (!('params' in group)) throw new KeyError("'params'");
  const given = group.params;
  if (given instanceof Set) throw new TypeError(unordered);
  if (!(given instanceof Tensor) && !isIterable(given)) {
    throw new TypeError(`'${typename(given)}' object is not iterable`);
  }
  const { tensors, names } = split(given instanceof Tensor ? [given] : [...given]);
  for (const p of tensors) {
    if (!(p instanceof Tensor)) {
      throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${typename(p)}`);
    }
    const { is_leaf, retains_grad } = p as LeafState;
    if (is_leaf === false && !retains_grad) throw new ValueError("can't optimize a non-leaf Tensor");
  }
  const params = tensors as Tensor[];

  checkKeys(group, Object.keys(defaults));
  const ready: Record<string, unknown> = { ...group, params, ...(names && { param_names: names }) };
  for (const [name, value] of Object.entries(defaults)) {
    if (name in ready) continue;
    if (value === required) {
      throw new ValueError(`parameter group didn't specify a value of required optimization parameter ${name}`);
    }
    ready[name] = Array.isArray(value) ? [...value] : value;
  }

  if (new Set(params).size < params.length) {
    warn(
      'optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; ' +
        'see github.com/pytorch/pytorch/issues/40967 for more information',
    );
  }
  for (const other of existing) {
    if ('param_names' in ready !== 'param_names' in other) {
      throw new ValueError(
        'all optimizer param groups should be with/without names. ' +
          `cannot add param group ${'param_names' in ready ? 'with names' : 'without names'} to the optimizer`,
      );
    }
  }
  const taken = new Set(existing.flatMap((other) => other.params));
  if (params.some((p) => taken.has(p))) {
    throw new ValueError('some parameters appear in more than one parameter group');
  }
  return ready as ParamGroup;
}
