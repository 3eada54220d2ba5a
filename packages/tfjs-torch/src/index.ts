/**
 * PyTorch's training API on TensorFlow.js, laid out as in Python: `import torch, { torchvision } from 'tfjs-torch'`.
 */
import * as torch from './torch';

// Python's own names: they have no place in `torch`.
export {
  AssertionError,
  AttributeError,
  catch_warnings,
  IndexError,
  KeyError,
  NotImplementedError,
  RuntimeError,
  ValueError,
} from '@tfjs-torch/core';
export * from './torch';
export * as torchvision from './torchvision';
export default torch;
