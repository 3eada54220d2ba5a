import * as tf from '@tensorflow/tfjs-core';
import { engine, type KernelCall } from '../tensor/engine';
import { fields } from '../tensor/fields';
import { unhold } from '../tensor/finalizer';
import { is_grad_enabled } from '../tensor/grad-mode';
import { OwnedVariable } from '../tensor/owned-variable';
import { ownGradients } from './gradients';
import { graph, record, save } from './graph';
import { isPending } from './lazy';
import { beforeDispose, endTidy, openRootScope, relieve, restore, revive, touch } from './memory';

let installed = false;

/**
 * Puts torch's side on tfjs's engine, at the first Parameter or tensor that requires a gradient.
 *
 * tfjs's own tape keeps its meaning: inside tf.grads, tf.variableGrads and LayersModel.fit the engine's gradientDepth
 * is above 0, and everything here stands aside.
 */
export function install(): void {
  if (installed) return;
  installed = true;
  openRootScope();
  recordKernels();
  watchStorage();
  watchReads();
  watchTidy();
}

const ours = () => engine.state.gradientDepth === 0;

function recordKernels(): void {
  const { runKernelFunc, isTapeOn, getTensorsForGradient, saveTensorsForBackwardMode, clone, addTapeNode } = engine;
  let wanted = false;

  engine.runKernelFunc = (call: KernelCall) => {
    let needed = false;
    for (const name in call.inputs) {
      const t = call.inputs[name];
      if (!t) continue;
      touch(t);
      if (fields(t)._node) needed = true;
    }
    wanted = needed && ours() && is_grad_enabled();
    const result = runKernelFunc.call(engine, call);
    if (Array.isArray(result)) result.forEach(touch);
    else touch(result);
    return result;
  };
  // Asked once, at the start of each runKernelFunc.
  engine.isTapeOn = () => (ours() ? wanted && engine.state.kernelDepth === 0 : isTapeOn.call(engine));
  engine.getTensorsForGradient = (kernel, inputs, outputs) => {
    const own = ours() ? ownGradients.get(kernel) : undefined;
    return own ? own.save(inputs, outputs) : getTensorsForGradient.call(engine, kernel, inputs, outputs);
  };
  engine.saveTensorsForBackwardMode = (tensors) =>
    ours() ? save(tensors) : saveTensorsForBackwardMode.call(engine, tensors);
  // What a custom gradient saves; wasm's clone would copy the values.
  engine.clone = (x) => {
    if (!ours()) return clone.call(engine, x);
    revive(x);
    return save([x])[0]!;
  };
  engine.addTapeNode = (kernel, inputs, outputs, gradient, saved, attrs) => {
    if (!ours()) addTapeNode.call(engine, kernel, inputs, outputs, gradient, saved, attrs);
    else record(kernel, inputs, outputs, gradient, saved, attrs);
  };
}

function watchStorage(): void {
  const { moveData, readSync, read, disposeTensor } = engine;
  const known = (id: tf.DataId) => engine.state.tensorInfo.has(id);
  engine.moveData = (backend, id) => {
    if (known(id) || !restore(id)) moveData.call(engine, backend, id);
  };
  engine.readSync = (id) => {
    if (!known(id)) restore(id);
    return readSync.call(engine, id);
  };
  engine.read = async (id) => {
    if (!known(id)) restore(id);
    return read.call(engine, id);
  };
  engine.disposeTensor = (t) => {
    // Never computed: there is nothing to give back.
    if (isPending(t as tf.Tensor)) return;
    beforeDispose(t);
    if (fields(t as tf.Tensor)._held && !(t instanceof OwnedVariable)) unhold(t as tf.Tensor);
    disposeTensor.call(engine, t);
  };
}

/** A tensor that is only read, as labels are, is in use too. */
function watchReads(): void {
  const { prototype } = tf.Tensor;
  const { dataSync, data } = prototype;
  prototype.dataSync = function (this: tf.Tensor) {
    touch(this);
    return dataSync.call(this);
  } as typeof dataSync;
  prototype.data = function (this: tf.Tensor) {
    touch(this);
    return data.call(this);
  } as typeof data;
}

function watchTidy(): void {
  const { startScope, endScope } = engine;
  // The node count at the start of each open scope.
  const starts: number[] = [];
  engine.startScope = (name) => {
    relieve();
    starts.push(graph.next);
    startScope.call(engine, name);
  };
  engine.endScope = (result) => {
    const first = starts.pop();
    const scope = engine.state.activeScope;
    // Every tfjs op opens a scope, named …__op, whose node hangs on its result.
    const op = scope?.name.endsWith('__op') ?? true;
    if (!op && first !== undefined && first < graph.next && ours()) endTidy(first, scope!.track, result);
    endScope.call(engine, result);
  };
}
