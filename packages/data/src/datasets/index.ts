export { CIFAR10, type CIFAR10Options } from './cifar10';
export { FashionMNIST, MNIST, type MNISTOptions } from './mnist';
export { VisionDataset } from './vision';
