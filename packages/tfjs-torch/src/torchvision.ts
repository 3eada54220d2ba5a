export { datasets, transforms } from '@tfjs-torch/data';
