import * as core from '@tfjs-torch/core';
import * as data from '@tfjs-torch/data';
import * as lr_scheduler from '@tfjs-torch/lr-scheduler';
import * as nn from '@tfjs-torch/nn';
import * as swa_utils from '@tfjs-torch/nn/swa-utils';
import * as optim from '@tfjs-torch/optim';
import torch, * as umbrella from 'tfjs-torch';
import { describe, expect, it } from 'vitest';

// What the packages export for each other, or for programs that use them one by one, and torch does not have.
const inner = {
  core: [
    'bernoulliMask',
    'Hooks',
    'bind',
    'drawIndices',
    'fillIntegers',
    'fillNormal',
    'fillUniform',
    'internal',
    'isPlainObject',
    'permutation',
    'pythonType',
    'randomSeed',
    'registerMissingKernels',
    'resolveDtype',
    'setWarningSink',
    'signature',
    'suggest',
    'warn',
  ],
  python: /Error$|^catch_warnings$/,
  optim: [
    'internal',
    'adadelta',
    'adagrad',
    'adam',
    'adamax',
    'adamw',
    'asTfjsOptimizer',
    'asgd',
    'nadam',
    'parametersOf',
    'radam',
    'registerExecutor',
    'registerTfjsOptimizers',
    'referenceState',
    'referenceStep',
    'required',
    'rmsprop',
    'rprop',
    'sgd',
    'sparseAdam',
    'TfjsOptimizer',
  ],
  lr_scheduler: [
    'constantLR',
    'cosineAnnealingLR',
    'exponentialLR',
    'linearLR',
    'multiStepLR',
    'polynomialLR',
    'stepLR',
  ],
};

const missing = (names: string[], place: object) => names.filter((name) => !(name in place));
const without = (module: object, names: string[]) => Object.keys(module).filter((name) => !names.includes(name));

describe('the umbrella', () => {
  const coreNames = without(core, [...inner.core, 'Parameter']);
  const pythonNames = coreNames.filter((name) => inner.python.test(name));
  it.each([
    ['torch', coreNames.filter((name) => !inner.python.test(name)), torch],
    ['torch.nn', Object.keys(nn), torch.nn],
    ['torch.optim', without(optim, inner.optim), torch.optim],
    ['torch.optim.lr_scheduler', without(lr_scheduler, [...inner.lr_scheduler, 'SWALR']), torch.optim.lr_scheduler],
    ['torch.optim.swa_utils', ['SWALR', ...Object.keys(swa_utils)], torch.optim.swa_utils],
    ['torch.utils.data', without(data, ['datasets', 'transforms']), torch.utils.data],
    ['torchvision', ['datasets', 'transforms'], umbrella.torchvision],
    ['the names of Python beside torch', pythonNames, umbrella],
  ])('has all of %s', (_, names, place) => {
    expect(names.length).toBeGreaterThan(0);
    expect(missing(names, place)).toEqual([]);
  });

  it('shows no inner names', () => {
    const shown = [torch, torch.optim, torch.optim.lr_scheduler].flatMap((place) => Object.keys(place));
    expect(shown.filter((name) => [...inner.core, ...inner.optim, ...inner.lr_scheduler].includes(name))).toEqual([]);
  });

  it('has every name of torch as a named export too', () => {
    expect(missing(Object.keys(torch), umbrella)).toEqual([]);
  });
});
