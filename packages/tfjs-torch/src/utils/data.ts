export { DataLoader, Dataset, random_split, Subset, TensorDataset } from '@tfjs-torch/data';
