/** What an optimizer tells the memory rounds (memory.ts). Without core's main entry there are none, and nobody listens. */
import type { Tensor } from '@tensorflow/tfjs-core';

interface Rounds {
  setUp(): void;
  optimizerRound(optimizer: object): void;
  touch(t: Tensor): void;
}

let rounds: Rounds | undefined;

export function listen(listener: Rounds): void {
  rounds = listener;
}

/** An optimizer is built: what exists by then is the program's set-up. */
export const setUp = (): void => rounds?.setUp();

/** An optimizer has stepped. */
export const optimizerRound = (optimizer: object): void => rounds?.optimizerRound(optimizer);

/** A tensor is in use, though no kernel of tfjs reads or makes it. */
export const touch = (t: Tensor): void => rounds?.touch(t);
