// What needs no tensors: a package that imports only this pulls in nothing else of core.
export { type Args, bind, isPlainObject, type Signature, signature, suggest } from './python/bind';
export {
  AssertionError,
  AttributeError,
  catch_warnings,
  IndexError,
  KeyError,
  NotImplementedError,
  RuntimeError,
  setWarningSink,
  ValueError,
  type Warning,
  type WarningCategory,
  type WarningSink,
  warn,
} from './python/errors';
export { Hooks, type Prepend, type RemovableHandle } from './python/hooks';
export { pythonType } from './python/python-type';
