/** For the packages of this workspace: not part of the public API. */
export { ops } from './executors/ops';
export { mayOverwrite, recordOf, renew, stateVersion, tensorOf } from './executors/storage';
export { type Algebra, fold } from './rule/expr';
