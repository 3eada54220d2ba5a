/**
 * Trains a tf.LayersModel with torch's AdamW: no decay on biases, a cosine schedule, and on from a saved model.
 *
 *   pnpm layers-model
 */
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { CosineAnnealingLR } from '@tfjs-torch/lr-scheduler';
import { initBackend } from '@tfjs-torch/node';
import { AdamW, asTfjsOptimizer, parametersOf, type TfjsOptimizer } from '@tfjs-torch/optim';

const epochs = 60;

/** Two spirals, one for each class. */
function spirals(n: number) {
  const points = Array.from({ length: n }, (_, i) => {
    const label = i % 2;
    const radius = 0.1 + (0.9 * i) / n;
    const angle = 2 * radius * Math.PI + label * Math.PI;
    return { x: [radius * Math.cos(angle), radius * Math.sin(angle)], label };
  });
  return { x: tf.tensor2d(points.map(({ x }) => x)), y: tf.tensor2d(points.map(({ label }) => [label])) };
}

function network() {
  const dense = (units: number, activation: 'tanh' | 'sigmoid', seed: number) =>
    layers.layers.dense({
      units,
      activation,
      kernelInitializer: layers.initializers.glorotUniform({ seed }),
      ...(seed === 1 && { inputShape: [2] }),
    });
  return layers.sequential({ layers: [dense(32, 'tanh', 1), dense(32, 'tanh', 2), dense(1, 'sigmoid', 3)] });
}

await initBackend({ quiet: true });
const { x, y } = spirals(400);
const model = network();

const named = parametersOf(model);
const optimizer = new AdamW(
  [
    { params: named.filter(([name]) => !name.endsWith('bias')) },
    { params: named.filter(([name]) => name.endsWith('bias')), weight_decay: 0 },
  ],
  { lr: 0.02, weight_decay: 0.01 },
);
const scheduler = new CosineAnnealingLR(optimizer, epochs);

model.compile({ optimizer: asTfjsOptimizer(optimizer), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
await model.fit(x, y, {
  epochs,
  batchSize: 50,
  verbose: 0,
  callbacks: {
    onEpochEnd: (epoch, logs) => {
      scheduler.step();
      if (epoch % 20 === 19)
        console.log(`epoch ${epoch + 1}: loss ${logs!.loss!.toFixed(4)}, accuracy ${logs!.acc!.toFixed(3)}`);
    },
  },
});

// The optimizer's state is saved with the model, and goes on from there.
let saved!: tf.io.ModelArtifacts;
const handler = tf.io.withSaveHandler(async (artifacts) => {
  saved = artifacts;
  return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
});
await model.save(handler, { includeOptimizer: true });
const loaded = await layers.loadLayersModel(tf.io.fromMemory(saved));
const again = (loaded.optimizer as TfjsOptimizer).bind(loaded);
for (const group of again.param_groups) (group as { lr?: number }).lr = 1e-3;
const history = await loaded.fit(x, y, { epochs: 5, batchSize: 50, verbose: 0 });
console.log(`loaded, 5 epochs more: loss ${(history.history.loss!.at(-1) as number).toFixed(4)}`);
