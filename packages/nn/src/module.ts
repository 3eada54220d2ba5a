import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  AttributeError,
  bind,
  Hooks,
  internal,
  isPlainObject,
  KeyError,
  NotImplementedError,
  no_grad,
  Parameter,
  type RemovableHandle,
  RuntimeError,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { size, typename } from './names';

export type StateDict = Record<string, tf.Tensor>;

/** What `load_state_dict` found: empty lists where every key fits. */
export interface IncompatibleKeys {
  missing_keys: string[];
  unexpected_keys: string[];
}

/** Called before `forward`; what it returns, unless null or undefined, replaces the arguments. */
export type ForwardPreHook<M extends Module = Module> = (module: M, args: Parameters<M['forward']>) => unknown;
/** Called after `forward`; what it returns, unless null or undefined, replaces the output. */
export type ForwardHook<M extends Module = Module> = (
  module: M,
  args: Parameters<M['forward']>,
  output: ReturnType<M['forward']>,
) => unknown;

type Kind = 'parameter' | 'buffer' | 'module';
type Hook = (module: Module, args: unknown[], output?: unknown) => unknown;

/** Further Proxy traps that a subclass wants for its instances: a static method under this key. */
export const traps = Symbol('traps');

/**
 * The base of {@link Module}: its instances are functions that run themselves, and they see what is assigned to them,
 * class fields included.
 */
class Callable {
  constructor() {
    const target = (...args: unknown[]): unknown => callModule(self, target as unknown as Module, args);
    // A function's own `name` and `length` would shadow a module's attributes and cannot be assigned.
    Reflect.deleteProperty(target, 'name');
    Reflect.deleteProperty(target, 'length');
    Object.setPrototypeOf(target, new.target.prototype);
    const self: Module = new Proxy(target as unknown as Module, {
      defineProperty(_target, key, descriptor) {
        if (typeof key === 'string' && 'value' in descriptor) observe(self, key, descriptor.value);
        return Reflect.defineProperty(target, key, descriptor);
      },
      deleteProperty(_target, key) {
        forget(self, key);
        return Reflect.deleteProperty(target, key);
      },
      ...(new.target as { [traps]?(self: () => Module): ProxyHandler<Module> })[traps]?.(() => self),
    });
    // biome-ignore lint/correctness/noConstructorReturn: `this` is to be the callable proxy in every subclass
    return self;
  }
}

// Module's own methods, for the traps: private members are out of the Callable's reach.
let callModule: (self: Module, target: Module, args: unknown[]) => unknown;
let observe: (self: Module, name: string, value: unknown) => void;
let forget: (self: Module, name: string | symbol) => void;

export interface Module {
  /** `model(x)`: the pre-hooks, `forward`, the hooks. */
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/** Of a module that is not for calling. */
export function missingForward(module: Module): never {
  throw new NotImplementedError(`Module [${module._get_name()}] is missing the required "forward" function`);
}

/**
 * Base class of all neural network modules. A subclass writes `forward`; a `Parameter`, a module or a registered buffer
 * assigned to one of its properties is registered, as in torch.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: only the interface can say that an instance is callable
export abstract class Module extends Callable {
  /** The registered names, in order; their values are properties like any other. */
  #kinds = new Map<string, Kind>();
  #transient = new Set<string>();
  #preHooks = new Hooks<Hook>();
  #hooks = new Hooks<Hook>();

  training = true;

  static {
    // Abstract for the compiler, so that a subclass need not say `override`; torch's error for who does without it.
    // biome-ignore lint/complexity/noThisInStatic: the class itself, not yet named here
    Object.defineProperty(this.prototype, 'forward', {
      value(this: Module) {
        return missingForward(this);
      },
      writable: true,
      configurable: true,
    });
    callModule = (self, target, args) => {
      const pre = self.#preHooks.all;
      const post = self.#hooks.all;
      // `target` is the module without its proxy, where a look-up is fast.
      const forward = target.forward as (...args: unknown[]) => unknown;
      return internal.moduleCall(() => {
        if (pre.length === 0 && post.length === 0) return forward.apply(self, args);
        for (const hook of pre) {
          const changed = internal.userCode(args, () => hook(self, args));
          if (changed != null) args = Array.isArray(changed) ? changed : [changed];
        }
        let output = forward.apply(self, args);
        for (const hook of post) output = internal.userCode([args, output], () => hook(self, args, output)) ?? output;
        return output;
      });
    };
    observe = (self, name, value) => self.#observe(name, value);
    forget = (self, name) => {
      if (typeof name !== 'string') return;
      self.#kinds.delete(name);
      self.#transient.delete(name);
    };
  }

  constructor(...args: never[]) {
    super();
    if (args.length > 0) {
      throw new TypeError(
        `${this._get_name()}.__init__() takes 1 positional argument but ${args.length + 1} were given`,
      );
    }
  }

  /** What the module computes; every subclass writes its own. Call the module itself, which also runs the hooks. */
  abstract forward(..._args: never): unknown;

  // ---- registration

  /** torch's `__setattr__`: registers what belongs to the module, refuses what would replace it by something else. */
  #observe(name: string, value: unknown): void {
    const kind = this.#kinds.get(name);
    if (value instanceof Parameter) {
      if (kind !== 'parameter') this.#replace(name, 'parameter');
    } else if (kind === 'parameter') {
      if (value !== null) throw this.#refused(value, `parameter '${name}' (torch.nn.Parameter or None expected)`);
    } else if (value instanceof Module) {
      if (kind !== 'module') this.#replace(name, 'module');
    } else if (kind === 'module') {
      if (value !== null) throw this.#refused(value, `child module '${name}' (torch.nn.Module or None expected)`);
    } else if (kind === 'buffer') {
      if (value !== null && !(value instanceof tf.Tensor))
        throw this.#refused(value, `buffer '${name}' (torch.nn.Buffer, torch.Tensor or None expected)`);
      const before = (this as Record<string, unknown>)[name];
      if (before instanceof tf.Tensor && before !== value) internal.disown(before);
      if (value) internal.own(value);
    }
  }

  #refused(value: unknown, as: string): TypeError {
    return new TypeError(`cannot assign '${typename(value)}' as ${as}`);
  }

  /** A name that changes its kind moves to the end of the order, as from one of torch's dicts to another. */
  #replace(name: string, kind: Kind): void {
    this.#kinds.delete(name);
    this.#transient.delete(name);
    if (!Object.hasOwn(this, name)) this.#assertFree(name);
    this.#kinds.set(name, kind);
  }

  #assertFree(name: string): void {
    if (name in this) throw new KeyError(`attribute '${name}' already exists`);
  }

  #register(name: string, kind: Kind, value: unknown): void {
    if (this.#kinds.get(name) !== kind) {
      this.#assertFree(name);
      this.#kinds.set(name, kind);
    }
    if (kind === 'buffer' && value instanceof tf.Tensor) internal.own(value);
    // Not `this[name] = value`: a container reads that as a place among its modules.
    Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
  }

  register_parameter(name: string, param: Parameter | null): void {
    assertName(name, 'parameter');
    if (param !== null && !(param instanceof Parameter)) {
      throw new TypeError(
        `cannot assign '${typename(param)}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
      );
    }
    this.#register(name, 'parameter', param);
  }

  /** A tensor that belongs to the module's state and is no parameter. One that is not `persistent` stays out of `state_dict`. */
  register_buffer(name: string, tensor: tf.Tensor | null, ...args: Args<[persistent: boolean], BufferOptions>): void {
    const { persistent } = bind(bufferSignature, [name, tensor, ...args]);
    assertName(name, 'buffer');
    if (tensor !== null && !(tensor instanceof tf.Tensor)) {
      throw new TypeError(
        `cannot assign '${typename(tensor)}' object to buffer '${name}' (torch Tensor or None required)`,
      );
    }
    this.#register(name, 'buffer', tensor);
    if (persistent) this.#transient.delete(name);
    else this.#transient.add(name);
  }

  add_module(name: string, module: Module | null): void {
    if (module !== null && !(module instanceof Module))
      throw new TypeError(`${typename(module)} is not a Module subclass`);
    if (typeof name === 'string' && name.includes('.'))
      throw new KeyError(`module name can't contain ".", got: ${name}`);
    assertName(name, 'module');
    this.#register(name, 'module', module);
  }

  register_module(name: string, module: Module | null): void {
    this.add_module(name, module);
  }

  // ---- what is registered

  *#own<T>(kind: Kind): Generator<[string, T | null]> {
    for (const [name, k] of this.#kinds)
      if (k === kind) yield [name, (this as Record<string, unknown>)[name] as T | null];
  }

  *#members<T>(kind: Kind, { prefix, recurse, remove_duplicate }: Required<MemberOptions>): Generator<[string, T]> {
    const seen = new Set<T>();
    const modules: Iterable<[string, Module]> = recurse
      ? this.named_modules({ prefix, remove_duplicate })
      : [[prefix, this]];
    for (const [path, module] of modules) {
      for (const [name, value] of module.#own<T>(kind)) {
        if (value === null || seen.has(value)) continue;
        if (remove_duplicate) seen.add(value);
        yield [join(path, name), value];
      }
    }
  }

  /** The parameters of the module and, with `recurse`, of all below it; a shared one once. */
  *parameters(...args: Args<[recurse: boolean], { recurse?: boolean }>): Generator<Parameter, void, undefined> {
    const { recurse } = bind(recurseSignature, args);
    for (const [, p] of this.named_parameters({ recurse })) yield p;
  }

  named_parameters(
    ...args: Args<[prefix: string, recurse: boolean, remove_duplicate: boolean], MemberOptions>
  ): Generator<[string, Parameter], void, undefined> {
    return this.#members('parameter', bind(membersSignature, args));
  }

  *buffers(...args: Args<[recurse: boolean], { recurse?: boolean }>): Generator<tf.Tensor, void, undefined> {
    const { recurse } = bind(recurseSignature, args);
    for (const [, b] of this.named_buffers({ recurse })) yield b;
  }

  named_buffers(
    ...args: Args<[prefix: string, recurse: boolean, remove_duplicate: boolean], MemberOptions>
  ): Generator<[string, tf.Tensor], void, undefined> {
    return this.#members('buffer', bind(membersSignature, args));
  }

  *children(): Generator<Module, void, undefined> {
    for (const [, module] of this.named_children()) yield module;
  }

  *named_children(): Generator<[string, Module], void, undefined> {
    const seen = new Set<Module>();
    for (const [name, module] of this.#own<Module>('module')) {
      if (module === null || seen.has(module)) continue;
      seen.add(module);
      yield [name, module];
    }
  }

  /** The module itself and all below it, each once. */
  *modules(
    ...args: Args<[remove_duplicate: boolean], { remove_duplicate?: boolean }>
  ): Generator<Module, void, undefined> {
    const { remove_duplicate } = bind(duplicateSignature, args);
    for (const [, module] of this.named_modules({ remove_duplicate })) yield module;
  }

  named_modules(
    ...args: Args<
      [memo: Set<Module> | null, prefix: string, remove_duplicate: boolean],
      { memo?: Set<Module> | null; prefix?: string; remove_duplicate?: boolean }
    >
  ): Generator<[string, Module], void, undefined> {
    const { memo, prefix, remove_duplicate } = bind(modulesSignature, args);
    return this.#walk(memo ?? new Set(), prefix, remove_duplicate);
  }

  *#walk(memo: Set<Module>, prefix: string, once: boolean): Generator<[string, Module], void, undefined> {
    if (memo.has(this)) return;
    if (once) memo.add(this);
    yield [prefix, this];
    for (const [name, module] of this.#own<Module>('module')) {
      if (module !== null) yield* module.#walk(memo, join(prefix, name), once);
    }
  }

  /** The direct children by name, for reading. */
  get _modules(): Readonly<Record<string, Module | null>> {
    return Object.freeze(Object.fromEntries(this.#own<Module>('module')));
  }

  /** The module at a dotted path; `''` is the module itself. */
  get_submodule(target: string): Module {
    if (target === '') return this;
    let module: Module = this;
    for (const atom of target.split('.')) {
      const next = module.#attribute(atom);
      if (!(next instanceof Module)) throw new AttributeError(`\`${atom}\` is not an nn.Module`);
      module = next;
    }
    return module;
  }

  get_parameter(target: string): Parameter {
    const [module, name] = this.#locate(target);
    const param = module.#attribute(name);
    if (!(param instanceof Parameter)) throw new AttributeError(`\`${name}\` is not an nn.Parameter`);
    return param;
  }

  get_buffer(target: string): tf.Tensor {
    const [module, name] = this.#locate(target);
    const buffer = module.#attribute(name);
    if (module.#kinds.get(name) !== 'buffer') throw new AttributeError(`\`${name}\` is not a buffer`);
    return buffer as tf.Tensor;
  }

  #locate(target: string): [Module, string] {
    const dot = target.lastIndexOf('.');
    return [this.get_submodule(target.slice(0, Math.max(dot, 0))), target.slice(dot + 1)];
  }

  #attribute(name: string): unknown {
    if (!(name in this)) throw new AttributeError(`${this._get_name()} has no attribute \`${name}\``);
    return (this as Record<string, unknown>)[name];
  }

  // ---- state

  /**
   * All parameters and persistent buffers by dotted name, in torch's order. The values are live: `p.data` of each
   * parameter, or itself with `keep_vars`. Clone what must not change in the next step.
   */
  state_dict(options: StateDictOptions = {}): StateDict {
    const { destination, prefix, keep_vars } = bind(stateDictSignature, [options]);
    const result = destination ?? {};
    for (const [name, tensor] of this.#state()) result[prefix + name] = keep_vars ? tensor : live(tensor);
    for (const [name, module] of this.#own<Module>('module')) {
      module?.state_dict({ destination: result, prefix: `${prefix}${name}.`, keep_vars });
    }
    return result;
  }

  *#state(): Generator<[string, tf.Tensor], void, undefined> {
    for (const kind of ['parameter', 'buffer'] as const) {
      for (const [name, tensor] of this.#own<tf.Tensor>(kind)) {
        if (tensor !== null && !this.#transient.has(name)) yield [name, tensor];
      }
    }
  }

  /**
   * Copies the values of `state_dict` into the parameters and buffers; with `assign`, puts the tensors themselves there.
   * @throws RuntimeError with all that does not fit; nothing is changed then (torch has copied what fits by that time).
   */
  load_state_dict(
    state_dict: Readonly<Record<string, unknown>>,
    ...args: Args<[strict: boolean, assign: boolean], { strict?: boolean; assign?: boolean }>
  ): IncompatibleKeys {
    if (!isPlainObject(state_dict)) {
      throw new TypeError(`Expected state_dict to be dict-like, got <class '${typename(state_dict)}'>.`);
    }
    const { strict, assign } = bind(loadSignature, [state_dict, ...args]);
    const plan: Plan = { missing_keys: [], unexpected_keys: [], errors: [], copies: [] };
    this.#plan(state_dict, Object.keys(state_dict), '', plan);
    const { missing_keys, unexpected_keys, errors } = plan;
    const list = (keys: string[]) => keys.map((k) => `"${k}"`).join(', ');
    if (strict && unexpected_keys.length > 0)
      errors.unshift(`Unexpected key(s) in state_dict: ${list(unexpected_keys)}. `);
    if (strict && missing_keys.length > 0) errors.unshift(`Missing key(s) in state_dict: ${list(missing_keys)}. `);
    if (errors.length > 0) {
      throw new RuntimeError(`Error(s) in loading state_dict for ${this._get_name()}:\n\t${errors.join('\n\t')}`);
    }
    for (const { module, name, to, from } of plan.copies) {
      if (assign)
        (module as unknown as Record<string, unknown>)[name] = to instanceof Parameter ? asParameter(from, to) : from;
      else internal.update(to, copyOf(from, to));
    }
    return { missing_keys, unexpected_keys };
  }

  #plan(dict: Readonly<Record<string, unknown>>, keys: string[], prefix: string, plan: Plan): void {
    const names = new Set<string>();
    for (const [name, to] of this.#state()) {
      names.add(name);
      const key = prefix + name;
      if (!Object.hasOwn(dict, key)) {
        plan.missing_keys.push(key);
        continue;
      }
      const from = dict[key];
      if (!(from instanceof tf.Tensor)) {
        plan.errors.push(
          `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but received <class '${typename(from)}'>`,
        );
      } else if (!tf.util.arraysEqual(from.shape, to.shape) && !(to.rank === 0 && from.rank === 1 && from.size === 1)) {
        plan.errors.push(
          `size mismatch for ${key}: copying a param with shape ${size(from.shape)} from checkpoint, the shape in current model is ${size(to.shape)}.`,
        );
      } else plan.copies.push({ module: this, name, to, from });
    }
    for (const key of keys) {
      const [name, rest] = splitOnce(key.slice(prefix.length));
      if (rest === undefined ? !names.has(name) : this.#kinds.get(name) !== 'module') plan.unexpected_keys.push(key);
    }
    for (const [name, module] of this.#own<Module>('module')) {
      const path = `${prefix}${name}.`;
      const below = keys.filter((k) => k.startsWith(path));
      if (module !== null) module.#plan(dict, below, path, plan);
    }
  }

  // ---- modes

  /** Sets training mode, here and below: Dropout and the like act on it. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw new ValueError('training mode is expected to be boolean');
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Calls `fn` on every module below, then on this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  zero_grad(...args: Args<[set_to_none: boolean], { set_to_none?: boolean }>): void {
    const { set_to_none } = bind(zeroGradSignature, args);
    for (const p of this.parameters()) {
      if (set_to_none) internal.clearGrad(p);
      else internal.peekGrad(p)?.zero_();
    }
  }

  requires_grad_(requires_grad = true): this {
    for (const p of this.parameters()) p.requires_grad_(requires_grad);
    return this;
  }

  /** The module itself: all tensors live on the tfjs backend in use and are float32. @throws for another floating dtype */
  to(...args: unknown[]): this {
    for (const arg of args.flatMap((a) => (isPlainObject(a) ? Object.values(a) : [a]))) {
      if (typeof arg === 'string' && unavailable.has(arg)) {
        throw new NotImplementedError(`a module cannot become ${arg}: tfjs computes in float32`);
      }
    }
    return this;
  }

  /** Does nothing: see {@link to}. */
  cuda(_device?: unknown): this {
    return this;
  }

  /** Does nothing: see {@link to}. */
  cpu(): this {
    return this;
  }

  /** Does nothing: see {@link to}. */
  float(): this {
    return this;
  }

  // ---- hooks

  register_forward_pre_hook<M extends Module>(
    this: M,
    hook: ForwardPreHook<M>,
    options: { prepend?: boolean } = {},
  ): RemovableHandle {
    const { prepend } = bind(hookSignature('forward_pre_hook'), [hook, options]);
    return this.#preHooks.add(hook as unknown as Hook, prepend);
  }

  register_forward_hook<M extends Module>(
    this: M,
    hook: ForwardHook<M>,
    options: { prepend?: boolean } = {},
  ): RemovableHandle {
    const { prepend } = bind(hookSignature('forward_hook'), [hook, options]);
    return this.#hooks.add(hook as unknown as Hook, prepend);
  }

  // ---- printing

  _get_name(): string {
    return this.constructor.name;
  }

  /** The line of options that `toString` prints. */
  extra_repr(): string {
    return '';
  }

  override toString(): string {
    const extra = this.extra_repr();
    const children = [...this.#own<Module>('module')].map(([name, m]) => `(${name}): ${indent(String(m ?? 'None'))}`);
    if (children.length === 0 && !extra.includes('\n')) return `${this._get_name()}(${extra})`;
    const lines = [...(extra ? extra.split('\n') : []), ...children];
    return `${this._get_name()}(\n  ${lines.join('\n  ')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  // ---- the end

  /** Frees all parameters and buffers, here and below. */
  dispose(): void {
    for (const t of [...this.parameters(), ...this.buffers()]) if (!t.isDisposed) t.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `copy.deepcopy(module)`: parameters, buffers and modules are copied, shared ones stay shared; no hooks. */
  deepcopy(memo: Map<object, unknown> = new Map()): this {
    const known = memo.get(this);
    if (known !== undefined) return known as this;
    const copy = Reflect.construct(Module, [], this.constructor) as this;
    memo.set(this, copy);
    for (const name of Object.keys(this)) {
      const kind = this.#kinds.get(name);
      const value = copyValue((this as Record<string, unknown>)[name], memo);
      if (kind === undefined) (copy as Record<string, unknown>)[name] = value;
      else copy.#register(name, kind, value);
      if (this.#transient.has(name)) copy.#transient.add(name);
    }
    return copy;
  }
}

interface BufferOptions {
  persistent?: boolean;
}
interface MemberOptions {
  prefix?: string;
  recurse?: boolean;
  remove_duplicate?: boolean;
}
export interface StateDictOptions {
  destination?: StateDict | null;
  prefix?: string;
  keep_vars?: boolean;
}
interface Plan extends IncompatibleKeys {
  errors: string[];
  copies: { module: Module; name: string; to: tf.Tensor; from: tf.Tensor }[];
}

const bufferSignature: Signature<{ persistent: boolean }> = signature(
  'Module.register_buffer',
  'name, tensor, persistent=True',
);
const recurseSignature: Signature<{ recurse: boolean }> = signature('Module.parameters', 'recurse=True');
const membersSignature: Signature<Required<MemberOptions>> = signature(
  'Module.named_parameters',
  "prefix='', recurse=True, remove_duplicate=True",
);
const duplicateSignature: Signature<{ remove_duplicate: boolean }> = signature(
  'Module.modules',
  'remove_duplicate=True',
);
const modulesSignature: Signature<{ memo: Set<Module> | null; prefix: string; remove_duplicate: boolean }> = signature(
  'Module.named_modules',
  "memo=None, prefix='', remove_duplicate=True",
);
const stateDictSignature: Signature<{ destination: StateDict | null; prefix: string; keep_vars: boolean }> = signature(
  'Module.state_dict',
  "*, destination=None, prefix='', keep_vars=False",
);
const loadSignature: Signature<{ strict: boolean; assign: boolean }> = signature(
  'Module.load_state_dict',
  'state_dict: dict, strict=True, assign=False',
);
const zeroGradSignature: Signature<{ set_to_none: boolean }> = signature('Module.zero_grad', 'set_to_none=True');
const hookSignature = (name: string): Signature<{ prepend: boolean }> =>
  signature(`Module.register_${name}`, 'hook, *, prepend=False');

const unavailable = new Set(['float64', 'double', 'float16', 'half', 'bfloat16']);

function assertName(name: string, what: 'parameter' | 'buffer' | 'module'): void {
  if (typeof name !== 'string') throw new TypeError(`${what} name should be a string. Got ${typename(name)}`);
  if (name.includes('.')) throw new KeyError(`${what} name can't contain "."`);
  if (name === '') throw new KeyError(`${what} name can't be empty string ""`);
}

/** The same values, now and later, without a graph. */
function live(t: tf.Tensor): tf.Tensor {
  if (t instanceof Parameter) return t.data;
  return t.requires_grad ? t.detach() : t;
}

const join = (prefix: string, name: string) => (prefix ? `${prefix}.${name}` : name);

function splitOnce(key: string): [string, string?] {
  const dot = key.indexOf('.');
  return dot < 0 ? [key] : [key.slice(0, dot), key.slice(dot + 1)];
}

const indent = (text: string) => text.replaceAll('\n', '\n  ');

/** The values of `from` as a tensor that can take the place of `to`'s. */
const copyOf = (from: tf.Tensor, to: tf.Tensor): tf.Tensor =>
  no_grad(() => tf.tidy(() => tf.reshape(tf.cast(from, to.dtype).clone(), to.shape)));

const asParameter = (from: tf.Tensor, like: Parameter): Parameter =>
  from instanceof Parameter ? from : new Parameter(from, like.requires_grad);

function copyValue(value: unknown, memo: Map<object, unknown>): unknown {
  if (value instanceof Module) return value.deepcopy(memo);
  if (typeof value !== 'object' || value === null) return value;
  if (memo.has(value)) return memo.get(value);
  const copy = (x: unknown) => copyValue(x, memo);
  const result =
    value instanceof Parameter
      ? new Parameter(
          no_grad(() => value.clone()),
          value.requires_grad,
        )
      : value instanceof tf.Tensor
        ? no_grad(() => value.clone())
        : Array.isArray(value)
          ? value.map(copy)
          : isPlainObject(value)
            ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, copy(v)]))
            : value;
  memo.set(value, result);
  return result;
}
