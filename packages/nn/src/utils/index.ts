export {
  type ClipGradNormOptions,
  clip_grad_norm,
  clip_grad_norm_,
  clip_grad_value_,
  clip_grads_with_norm_,
  get_total_norm,
  type NormOptions,
  type TensorOrTensors,
} from './clip-grad';
export { parameters_to_vector, vector_to_parameters } from './convert-parameters';
