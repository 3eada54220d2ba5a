import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from './engine';
import { fields, type Held } from './fields';

/** Frees what the garbage collector finds unreachable: between turns of the event loop, never in a synchronous loop. */
const registry = new FinalizationRegistry<Held>((held) => {
  held.grad?.dispose();
  engine.disposeTensor(held);
});

/** Hands a tensor to the garbage collector: it stays until nobody holds it. */
export function hold(t: Tensor): void {
  const held: Held = { dataId: t.dataId, size: t.size, dtype: t.dtype, grad: null };
  fields(t)._held = held;
  registry.register(t, held, t);
}

/** Takes a tensor back: it is disposed by other means. */
export function unhold(t: Tensor): void {
  if (!fields(t)._held) return;
  registry.unregister(t);
  fields(t)._held = undefined;
}
