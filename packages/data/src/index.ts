export { type Collated, default_collate, default_convert } from './collate';
export {
  ConcatDataset,
  Dataset,
  type DatasetLike,
  IterableDataset,
  type MapDataset,
  random_split,
  Subset,
  TensorDataset,
} from './dataset';
export * as datasets from './datasets';
export { DataLoader, type DataLoaderOptions } from './loader';
export {
  BatchSampler,
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  type RandomSamplerOptions,
  Sampler,
  type SamplerOptions,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './samplers';
export * as transforms from './transforms';
