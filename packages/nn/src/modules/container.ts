import type * as tf from '@tensorflow/tfjs-core';
import { AssertionError, IndexError, isPlainObject } from '@tfjs-torch/core';
import { Module, missingForward, traps } from '../module';
import { typename } from '../names';

type Layer = (input: tf.Tensor) => tf.Tensor;

const isIndex = (key: string | symbol) => typeof key === 'string' && /^-?\d+$/.test(key);

/** A module that holds others in order: `list[0]`, `list[-1]`, `list.length`, `for (const m of list)`. */
abstract class Indexed<T extends Module> extends Module {
  [index: number]: T;

  /** A number counts places, from the end where it is negative, as in Python. */
  static [traps](self: () => Module): ProxyHandler<Module> {
    const list = () => self() as Indexed<Module>;
    const isPlace = (target: Module, key: string | symbol) => isIndex(key) && !Object.hasOwn(target, key);
    return {
      get: (target, key, receiver) =>
        isPlace(target, key) ? list().at(Number(key)) : Reflect.get(target, key, receiver),
      set: (target, key, value, receiver) =>
        Reflect.set(target, isPlace(target, key) ? list()._name(Number(key)) : key, value, receiver),
    };
  }

  override get length(): number {
    return Object.keys(this._modules).length;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return Object.values(this._modules)[Symbol.iterator]() as IterableIterator<T>;
  }

  /** @throws IndexError */
  at(index: number): T {
    return this._modules[this._name(index)] as T;
  }

  /** The name of a place. @throws IndexError */
  _name(index: number): string {
    const name = Object.keys(this._modules).at(index);
    if (name === undefined || !Number.isInteger(index)) throw new IndexError(`index ${index} is out of range`);
    return name;
  }

  append(module: T): this {
    this.add_module(String(this.length), module);
    return this;
  }

  extend(modules: Iterable<T>): this {
    if (typeof modules?.[Symbol.iterator] !== 'function') {
      throw new TypeError(`${this._get_name()}.extend should be called with an iterable, but got ${typename(modules)}`);
    }
    for (const module of [...modules]) this.append(module);
    return this;
  }

  /** Puts `module` before the one at `index`. */
  insert(index: number, module: T): this {
    if (!(module instanceof Module)) throw new AssertionError(`module should be of type: ${Module.name}`);
    if (index < -this.length || index > this.length) throw new IndexError(`Index out of range: ${index}`);
    const modules = [...this];
    modules.splice(index, 0, module);
    this._renew(modules);
    return this;
  }

  /** Takes one out, by default the last; the later ones are renamed. */
  pop(index = -1): T {
    const module = this.at(index);
    this._renew([...this].filter((_, i) => i !== (index < 0 ? index + this.length : index)));
    return module;
  }

  _renew(modules: T[]): void {
    for (const name of Object.keys(this._modules)) Reflect.deleteProperty(this, name);
    for (const [i, module] of modules.entries()) this.add_module(String(i), module);
  }
}

/** Calls its modules one after the other. `new Sequential(a, b)`, or with names: `new Sequential({ conv1: a, relu1: b })`. */
export class Sequential extends Indexed<Module> {
  constructor(...modules: Module[] | [Readonly<Record<string, Module>>]) {
    super();
    const [first] = modules;
    const named = modules.length === 1 && isPlainObject(first) ? first : Object.fromEntries(modules.entries());
    for (const [name, module] of Object.entries(named)) this.add_module(name, module as Module);
  }

  forward(input: tf.Tensor): tf.Tensor {
    let x = input;
    for (const module of this) x = (module as unknown as Layer)(x);
    return x;
  }

  /** `net[start:end]`: a Sequential of the same modules, under the same names. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(
      Object.fromEntries(Object.entries(this._modules).slice(start, end)) as Record<string, Module>,
    );
  }
}

/** A list of modules that are registered; it cannot be called. */
export class ModuleList<T extends Module = Module> extends Indexed<T> {
  constructor(modules: Iterable<T> | null = null) {
    super();
    if (modules !== null) this.extend(modules);
  }

  /** `list[start:end]` */
  slice(start?: number, end?: number): ModuleList<T> {
    return new ModuleList([...this].slice(start, end));
  }

  push(...modules: T[]): number {
    return this.extend(modules).length;
  }

  forward(..._args: never): unknown {
    return missingForward(this);
  }

  override toString(): string {
    const blocks: { text: string; first: number; last: number }[] = [];
    for (const [i, module] of [...this].entries()) {
      const text = String(module);
      const before = blocks.at(-1);
      if (before?.text === text) before.last = i;
      else blocks.push({ text, first: i, last: i });
    }
    if (blocks.length === 0) return `${this._get_name()}()`;
    const lines = blocks.map(({ text, first, last }) =>
      first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`,
    );
    return `${this._get_name()}(\n  ${lines.map((line) => line.replaceAll('\n', '\n  ')).join('\n  ')}\n)`;
  }
}

class ModuleDictClass extends Module {
  constructor(modules: Readonly<Record<string, Module>> | Iterable<[string, Module]> | null = null) {
    super();
    if (modules !== null) this.update(modules);
  }

  forward(..._args: never): unknown {
    return missingForward(this);
  }

  override get length(): number {
    return Object.keys(this._modules).length;
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.keys()[Symbol.iterator]();
  }

  keys(): IterableIterator<string> {
    return Object.keys(this._modules).values();
  }

  values(): IterableIterator<Module> {
    return Object.values(this._modules as Record<string, Module>).values();
  }

  items(): IterableIterator<[string, Module]> {
    return Object.entries(this._modules as Record<string, Module>).values();
  }

  update(modules: Readonly<Record<string, Module>> | Iterable<[string, Module]>): void {
    const entries = isPlainObject(modules) ? Object.entries(modules as Record<string, Module>) : modules;
    if (typeof (entries as Iterable<unknown>)?.[Symbol.iterator] !== 'function') {
      throw new TypeError(
        `ModuleDict.update should be called with an iterable of key/value pairs, but got ${typename(modules)}`,
      );
    }
    for (const [key, module] of entries as Iterable<[string, Module]>) this.add_module(key, module);
  }

  pop(key: string): Module {
    const module = this.get_submodule(key);
    Reflect.deleteProperty(this, key);
    return module;
  }

  clear(): void {
    for (const key of [...this.keys()]) this.pop(key);
  }
}

/** Modules by name that are registered: `dict.conv` and `dict['conv']`; it cannot be called. */
export type ModuleDict = ModuleDictClass;
export const ModuleDict = ModuleDictClass as unknown as new <R extends Record<string, Module>>(
  modules?: R | Iterable<[string, Module]> | null,
) => ModuleDictClass & R;
Object.defineProperty(ModuleDictClass, 'name', { value: 'ModuleDict' });
