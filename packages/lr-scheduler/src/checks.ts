import { ValueError } from '@tfjs-torch/core/base';
import type { Optimizer } from '@tfjs-torch/optim';

const pythonNames: Record<string, string> = {
  string: 'str',
  boolean: 'bool',
  undefined: 'NoneType',
  function: 'function',
};

/** Python's name for a value's type. */
export function typeName(x: unknown): string {
  if (typeof x === 'number') return Number.isInteger(x) ? 'int' : 'float';
  if (typeof x !== 'object') return pythonNames[typeof x] ?? typeof x;
  if (x === null) return 'NoneType';
  return Array.isArray(x) ? 'list' : x.constructor === Object ? 'dict' : x.constructor.name;
}

export function assertOptimizer(value: unknown): asserts value is Optimizer<object> {
  const { param_groups, step, stepCount } = (value ?? {}) as Partial<Optimizer<object>>;
  if (!Array.isArray(param_groups) || typeof step !== 'function' || typeof stepCount !== 'number')
    throw new TypeError(`${typeName(value)} is not an Optimizer`);
}

/** @throws TypeError for a value that is no number */
export function numbers(values: Record<string, unknown>): void {
  for (const [name, x] of Object.entries(values))
    if (typeof x !== 'number') throw new TypeError(`${name} must be a number, but is ${x}`);
}

/** @throws ValueError for a value by which torch would divide later */
export function positive(values: Record<string, unknown>): void {
  for (const [name, x] of Object.entries(values))
    if (typeof x !== 'number' || !(x > 0)) throw new ValueError(`${name} must be above 0, but is ${x}`);
}

export const isPositiveInteger = (x: unknown): boolean => Number.isInteger(x) && (x as number) > 0;

/** @throws ValueError with torch's text */
export function annealStrategy(name: unknown): void {
  if (name !== 'cos' && name !== 'linear')
    throw new ValueError(`anneal_strategy must be one of 'cos' or 'linear', instead got ${name}`);
}

/** One value for each group. */
export function perGroup(
  name: string,
  { param_groups }: Optimizer<object>,
  value: number | readonly number[],
): number[] {
  if (!Array.isArray(value)) return param_groups.map(() => value as number);
  if (value.length !== param_groups.length) {
    throw new ValueError(
      `${name} must have the same length as optimizer.param_groups. ` +
        `${name} has ${value.length} values, param_groups has ${param_groups.length}.`,
    );
  }
  return [...value];
}
