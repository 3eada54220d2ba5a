export { CIFAR10 } from './cifar10';
export { FashionMNIST, MNIST } from './mnist';
export { VisionDataset, type VisionOptions } from './vision';
