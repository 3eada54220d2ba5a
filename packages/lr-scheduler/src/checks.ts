import { pythonType, ValueError } from '@tfjs-torch/core/base';
import type { Optimizer } from '@tfjs-torch/optim';

export function assertOptimizer(value: unknown): asserts value is Optimizer<object> {
  const { param_groups, step, stepCount } = (value ?? {}) as Partial<Optimizer<object>>;
  if (!Array.isArray(param_groups) || typeof step !== 'function' || typeof stepCount !== 'number')
    throw new TypeError(`${pythonType(value)} is not an Optimizer`);
}

/** @throws TypeError for an option that is no number */
export function number<O extends object>(own: O, name: keyof O & string): void {
  if (typeof own[name] !== 'number') throw new TypeError(`${name} must be a number, but is ${own[name]}`);
}

/** @throws ValueError for an option by which torch would divide later */
export function positive<O extends object>(own: O, name: keyof O & string): void {
  const x = own[name];
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
