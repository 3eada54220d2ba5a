import { Tensor } from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '../python/bind';
import { pythonType } from '../python/python-type';
import { setRequiresGrad } from '../tape/autograd';
import { install } from '../tape/install';
import { defineData } from '../tensor/data';
import { OwnedVariable } from '../tensor/owned-variable';

const parameterSignature: Signature<{ data: unknown; requires_grad: boolean }> = signature(
  'Parameter.__new__',
  'data, requires_grad=True',
);

class ParameterClass extends OwnedVariable {
  constructor(...args: unknown[]) {
    const { data, requires_grad } = bind(parameterSignature, args);
    if (!(data instanceof Tensor))
      throw new TypeError(
        `Parameter.__new__(): argument 'data' (position 1) must be Tensor, not ${pythonType(data)}: new nn.Parameter(torch.tensor([1, 2]))`,
      );
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
export const Parameter = ParameterClass as unknown as new (
  data: Tensor,
  ...args: Args<[requires_grad: boolean], { requires_grad?: boolean }>
) => Parameter;
