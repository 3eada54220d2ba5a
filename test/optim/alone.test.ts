import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// Elsewhere in the tests core is always loaded: here it is not, until the program asks for it.
test('optimizers work without torch’s tensors, say what needs them, and go on with them', async ({ skip }) => {
  if (process.env.TFJS_TORCH_BACKEND !== 'cpu') skip('it chooses a backend of its own');
  const program = `
    import * as tf from '@tensorflow/tfjs-core';
    import '@tensorflow/tfjs-backend-cpu';
    import * as optim from '@tfjs-torch/optim';
    tf.backend().firstUse = false;
    const v = tf.variable(tf.tensor2d([[1, 2], [3, 4]]));
    const loss = () => tf.sum(tf.square(v));
    const said = (f) => {
      try { f(); } catch (error) { return error.name + ': ' + error.message; }
    };
    const moved = (optimizer) => {
      const before = v.dataSync().slice();
      v.grad = tf.tensor2d([[1, -1], [2, 0.5]]);
      optimizer.step(() => tf.scalar(1));
      return Array.from(v.dataSync()).some((x, i) => x !== before[i]);
    };
    const classes = Object.values(optim).filter((C) => C.prototype instanceof optim.Optimizer && C !== optim.SparseAdam);
    const stuck = classes.filter((C) => !moved(new C([v]))).map((C) => C.name);

    const sgd = new optim.SGD([v], 0.25);
    sgd.zero_grad(false);
    const zeroed = Array.from(v.grad.dataSync());
    const wrong = said(() => { v.grad = tf.scalar(1); });
    const before = v.dataSync()[0];
    sgd.minimize(loss);
    const refused = [said(() => { v.requires_grad = true; }), said(() => loss().backward())];
    const alone = [v.requires_grad, 'add_' in v];

    const { Parameter } = await import('@tfjs-torch/core');
    const p = new Parameter(tf.scalar(3));
    const both = new optim.SGD([p, v], 0.25);
    for (let k = 0; k < 2; k++) {
      both.zero_grad();
      p.mul(p).backward();
      both.step();
    }
    const later = [p.item(), p.requires_grad, 'add_' in v];
    const halved = v.dataSync()[0] / before;
    console.log(JSON.stringify({ trained: classes.length, stuck, zeroed, wrong, halved, refused, alone, later }));`;
  const flags = ['--conditions=tfjs-torch-source', '--import=tsx', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  const { trained, stuck, zeroed, wrong, halved, refused, alone, later } = JSON.parse(stdout);
  expect(trained).toBeGreaterThan(13);
  expect(stuck).toEqual([]);
  expect(zeroed).toEqual([0, 0, 0, 0]);
  expect(wrong).toMatch("RuntimeError: attempting to assign a gradient of size '[]'");
  expect(halved).toBe(0.5);
  for (const text of refused) expect(text).toMatch("RuntimeError: requires_grad and backward() need torch's tensors");
  expect(alone).toEqual([false, false]);
  expect(later).toEqual([0.75, true, true]);
});
