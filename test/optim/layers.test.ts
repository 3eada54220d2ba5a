import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { ValueError } from '@tfjs-torch/core';
import { StepLR } from '@tfjs-torch/lr-scheduler';
import {
  Adam,
  AdamW,
  asTfjsOptimizer,
  LBFGS,
  Optimizer,
  type ParamsInput,
  parametersOf,
  registerTfjsOptimizers,
  SGD,
  TfjsOptimizer,
} from '@tfjs-torch/optim';
import { expect, test } from 'vitest';

const data = () => {
  const x = tf.tensor2d(
    Array.from({ length: 64 }, (_, i) => Math.sin(i * 1.3)),
    [32, 2],
  );
  return { x, y: tf.matMul(x, tf.tensor2d([[1], [-2]])) };
};
function network(seed = 1) {
  const init = (s: number) => layers.initializers.glorotUniform({ seed: seed + s });
  const model = layers.sequential();
  model.add(layers.layers.dense({ units: 4, inputShape: [2], activation: 'tanh', kernelInitializer: init(1) }));
  model.add(layers.layers.dense({ units: 1, kernelInitializer: init(2) }));
  return model;
}
const weights = (model: layers.LayersModel) => model.getWeights().map((w) => Array.from(w.dataSync()));
const train = (model: layers.LayersModel, epochs: number, callbacks = {}) => {
  const { x, y } = data();
  return model.fit(x, y, { epochs, batchSize: 8, shuffle: false, verbose: 0, callbacks });
};
const loss = 'meanSquaredError';
async function reloaded(model: layers.LayersModel) {
  let saved!: tf.io.ModelArtifacts;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });
  await model.save(handler, { includeOptimizer: true });
  return layers.loadLayersModel(tf.io.fromMemory(saved));
}

test('a LayersModel trains, with groups and a scheduler, to the weights of the same steps by hand', async () => {
  const [model, twin] = [network(), network()];
  const grouped = (m: layers.LayersModel) => {
    const named = parametersOf(m);
    return new AdamW(
      [
        { params: named.filter(([name]) => !name.endsWith('bias')), weight_decay: 0.1 },
        { params: named.filter(([name]) => name.endsWith('bias')), weight_decay: 0, lr: 0.05 },
      ],
      { lr: 0.02 },
    );
  };
  const optimizer = grouped(model);
  const scheduler = new StepLR(optimizer, 1, 0.5);
  model.compile({ optimizer: asTfjsOptimizer(optimizer), loss });
  const history = await train(model, 3, { onEpochEnd: () => void scheduler.step() });
  expect(history.history.loss!.at(-1)).toBeLessThan(history.history.loss![0] as number);
  expect(optimizer.param_groups.map((g) => g.lr)).toEqual([0.0025, 0.00625]);

  const byHand = grouped(twin);
  const schedule = new StepLR(byHand, 1, 0.5);
  const { x, y } = data();
  for (let epoch = 0; epoch < 3; epoch++) {
    for (let i = 0; i < 32; i += 8) {
      const [bx, by] = [tf.slice(x, [i, 0], [8, 2]), tf.slice(y, [i, 0], [8, 1])];
      byHand.minimize(
        () => tf.losses.meanSquaredError(by, twin.apply(bx, { training: true }) as tf.Tensor) as tf.Scalar,
      );
    }
    schedule.step();
  }
  weights(model).forEach((w, i) => {
    for (const [k, value] of weights(twin)[i]!.entries()) expect(w[k]).toBeCloseTo(value, 5);
  });
});

test('what the optimizer was not given stays as it is', async () => {
  const model = network();
  const before = weights(model);
  model.compile({ optimizer: asTfjsOptimizer(new SGD(parametersOf(model).slice(2), 0.1)), loss });
  await train(model, 1);
  expect(weights(model).slice(0, 2)).toEqual(before.slice(0, 2));
  expect(weights(model)[2]).not.toEqual(before[2]);
});

test('a saved model goes on as if never interrupted', async () => {
  registerTfjsOptimizers(Adam);
  const model = network();
  const named = parametersOf(model);
  const optimizer = new Adam([{ params: named.slice(2), lr: 0.05 }, { params: named.slice(0, 2) }], {
    lr: 0.01,
    amsgrad: true,
  });
  model.compile({ optimizer: asTfjsOptimizer(optimizer), loss });
  await train(model, 2);
  const loaded = await reloaded(model);
  expect(loaded.optimizer).toBeInstanceOf(TfjsOptimizer);
  await train(model, 2);
  await train(loaded, 2);
  expect(weights(loaded)).toEqual(weights(model));
  const again = (loaded.optimizer as TfjsOptimizer).optimizer;
  expect(again).toBeInstanceOf(Adam);
  expect(again.param_groups).toMatchObject([{ lr: 0.05, amsgrad: true }, { lr: 0.01 }]);
  expect((again.param_groups[0] as { param_names: string[] }).param_names).toEqual(
    named.slice(2).map(([name]) => name),
  );
});

test('saved before any step, loaded and saved again, groups keep their weights', async () => {
  const model = network();
  const [kernel, bias, ...rest] = parametersOf(model);
  const optimizer = new AdamW([
    { params: [bias!], weight_decay: 0 },
    { params: rest },
    { params: [kernel!], lr: 0.05 },
  ]);
  model.compile({ optimizer: asTfjsOptimizer(optimizer), loss });
  const loaded = await reloaded(await reloaded(model));
  await train(model, 2);
  await train(loaded, 2);
  expect(weights(loaded)).toEqual(weights(model));
  const again = await reloaded(loaded);
  await train(loaded, 1);
  await train(again, 1);
  expect(weights(again)).toEqual(weights(loaded));
});

test('a frozen layer stays as it is; a loaded model that lacks its weights is refused', async () => {
  const model = network();
  const optimizer = new SGD(parametersOf(model).reverse(), 0.1, 0.9);
  model.layers[0]!.trainable = false;
  const before = model.layers[0]!.getWeights().map((w) => w.arraySync());
  model.compile({ optimizer: asTfjsOptimizer(optimizer), loss });
  await train(model, 1);
  expect(model.layers[0]!.getWeights().map((w) => w.arraySync())).toEqual(before);
  await expect(train(await reloaded(model), 1)).rejects.toThrowError(
    'The saved optimizer trains 3 weights or more, the model has 2 that are trainable',
  );
});

test('numbers in the state of an own optimizer stay numbers', async () => {
  class Fading extends Optimizer<{ lr: number }> {
    constructor(params: ParamsInput<{ lr: number }>) {
      super(params, { lr: 0.1 });
    }
    override step() {
      for (const { params, lr } of this.param_groups) {
        for (const p of params) {
          if (p.grad === null) continue;
          const steps = 1 + ((this.state.get(p)?.steps as number | undefined) ?? 0);
          this.state.set(p, { steps });
          p.add_(p.grad, { alpha: -lr / steps });
        }
      }
      return null;
    }
  }
  const model = network();
  const optimizer = new Fading(parametersOf(model));
  model.compile({ optimizer: asTfjsOptimizer(optimizer), loss });
  await train(model, 1);
  const loaded = await reloaded(model);
  await train(model, 1);
  await train(loaded, 1);
  expect(weights(loaded)).toEqual(weights(model));
  optimizer.state.set(optimizer.param_groups[0]!.params[0]!, { history: [1, 2] });
  await expect(reloaded(model)).rejects.toThrowError("the state 'history' is neither a tensor nor a number");
});

test('a loaded optimizer can be bound before it trains, for a scheduler; an unknown class is named', async () => {
  class Mine extends SGD {}
  const model = network();
  const theirs = asTfjsOptimizer(new Mine(parametersOf(model), 0.5));
  const loaded = TfjsOptimizer.fromConfig<TfjsOptimizer>(TfjsOptimizer as never, theirs.getConfig());
  expect(() => loaded.optimizer).toThrowError('bind(model)');
  expect(loaded.bind(model).param_groups[0]).toMatchObject({ lr: 0.5 });
  const config = { ...theirs.getConfig(), optimizer: 'Lost' };
  const lost = TfjsOptimizer.fromConfig<TfjsOptimizer>(TfjsOptimizer as never, config);
  expect(() => lost.bind(model)).toThrowError('call registerTfjsOptimizers(Lost) before loading the model');
});

test('computeGradients, applyGradients, getWeights and setWeights', async () => {
  const v = tf.variable(tf.tensor1d([1, 2]));
  const optimizer = asTfjsOptimizer(new SGD([v], 0.25, 0.5));
  expect(optimizer).toBeInstanceOf(tf.Optimizer);
  const f = () => tf.sum(tf.square(v)) as tf.Scalar;
  const apply = () =>
    tf.tidy(() => {
      const { grads } = optimizer.computeGradients(f);
      optimizer.applyGradients(grads);
      for (const g of Object.values(grads)) expect(g.isDisposed).toBe(false);
    });
  apply();
  expect(Array.from(v.dataSync())).toEqual([0.5, 1]);
  const before = tf.memory().numTensors;
  apply();
  expect(tf.memory().numTensors).toBe(before);
  const saved = await optimizer.getWeights();
  expect(saved.map(({ name }) => name)).toEqual(['torch.optim/0/momentum_buffer']);
  const other = asTfjsOptimizer(new SGD([v], 0.25, 0.5));
  await other.setWeights(saved);
  expect(Array.from((other.optimizer.state.get(v)!.momentum_buffer as tf.Tensor).dataSync())).toEqual(
    Array.from(saved[0]!.tensor.dataSync()),
  );
  expect(() => optimizer.applyGradients({ nobody: tf.zeros([2]) })).toThrowError("'nobody' is not one of");
});

test('an optimizer that needs a closure is refused at once', () => {
  const optimizer = new LBFGS(parametersOf(network()));
  expect(() => asTfjsOptimizer(optimizer)).toThrowError(
    new ValueError(
      'asTfjsOptimizer: LBFGS evaluates the loss several times in a step, which a tf.Optimizer cannot: call LBFGS.step(closure)',
    ),
  );
});
