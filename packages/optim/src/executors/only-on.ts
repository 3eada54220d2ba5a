import { getBackend } from '@tensorflow/tfjs-core';

/** What `unavailable` says in an executor for one backend. */
export const onlyOn = (backend: string): string | null =>
  getBackend() === backend ? null : `it is for the backend '${backend}', and tfjs runs '${getBackend()}'`;
