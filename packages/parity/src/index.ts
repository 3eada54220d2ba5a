export { type CompareOptions, Comparison, compare, type Distance, type Kind, type Tolerance } from './compare';
export { relativeError, ulpDistance } from './distance';
export { parse, stringify } from './format';
export type { Model, ModuleLike } from './host';
export { type Loss, type RecordOptions, record } from './record';
export { type ReplayOptions, reference, replay } from './replay';
export { teacherForced } from './teacher-forced';
export type { DType, Group, Head, HostTensor, Snapshot, Step, Trace, Value } from './trace';
