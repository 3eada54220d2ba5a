export { MNIST, type MNISTOptions } from './mnist';
