import type { Tensor } from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import type { Declaration } from './declaration';
import { checkImplementation, type Implementation } from './implementation';
import { Optimizer } from './optimizer';
import { bindOptions, type Host, hostOptions } from './options';
import { float } from './python-repr';

/** One of torch's own: a subclass declares its options, and adds `step`. */
export abstract class DeclaredOptimizer<O extends object> extends Optimizer<O> {
  static readonly declaration: Declaration;
  readonly #declaration: Declaration<Host<O>>;

  constructor(args: readonly unknown[]) {
    const declaration = new.target.declaration as unknown as Declaration<Host<O>>;
    const { params, options, diagnostics } = bindOptions<O>(declaration, args);
    const h = hostOptions(declaration, options);
    declaration.check(h, options as Record<keyof O, unknown>);
    checkImplementation(declaration.name, h as Implementation);
    super(params, Object.assign(options, declaration.derived?.(h)));
    this.#declaration = declaration;
    this.diagnostics = diagnostics;
  }

  /** Whether a gradient is applied to some rows alone. @throws torch's error for a layout that this optimizer refuses */
  protected byRows(grad: Tensor, h: Host<O>): boolean {
    const { name, sparse, dense } = this.#declaration;
    if (!internal.isSparse(grad)) return dense?.() ?? false;
    if (!sparse) throw new RuntimeError(`${name} does not support sparse gradients`);
    return sparse(h) === 'rows';
  }

  /** The options of a group. @throws TypeError for a value of the wrong kind */
  protected hostOptions(group: object): Host<O> {
    return hostOptions<O>(this.#declaration, group as O);
  }

  protected override migrated(group: Record<string, unknown>): Record<string, unknown> {
    const { older, forced } = this.#declaration;
    const whole = { ...group, ...older, ...group, ...forced };
    this.hostOptions(whole);
    return whole;
  }

  protected override shown(value: unknown, key: string): string {
    const { floats, defaults } = this.#declaration;
    const isFloat = value === defaults[key as keyof O] && floats?.includes(key);
    return isFloat ? float(value as number) : super.shown(value, key);
  }
}
