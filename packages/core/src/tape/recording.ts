import { engine } from '../tensor/engine';
import { is_grad_enabled } from '../tensor/grad-mode';

/** Whether what is computed here and now may become a part of the graph. */
export const isRecording = (): boolean => engine.state.kernelDepth === 0 && is_grad_enabled();
