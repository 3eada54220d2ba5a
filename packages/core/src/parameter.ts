import type { Tensor } from '@tensorflow/tfjs-core';
import { setRequiresGrad } from './autograd';
import { defineData } from './data';
import { install } from './hooks';
import { OwnedVariable } from './owned-variable';

class ParameterClass extends OwnedVariable {
  constructor(data: Tensor, requires_grad = true) {
    install();
    super(data, requires_grad);
    setRequiresGrad(this, requires_grad);
  }
}

defineData(ParameterClass.prototype);

/**
 * A tensor that a module or an optimizer trains: `torch.nn.Parameter`. Also a tf.Variable, but in no global list.
 * Shares the storage of `data` until one of the two is written to.
 */
export interface Parameter extends ParameterClass {
  get data(): Tensor['data'] & Tensor;
  set data(value: Tensor);
}
export const Parameter = ParameterClass as unknown as new (data: Tensor, requires_grad?: boolean) => Parameter;
