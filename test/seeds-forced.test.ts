import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type * as tf from '@tensorflow/tfjs-core';
import { relativeError } from '@tfjs-torch/parity';
import torch from 'tfjs-torch';
import { describe, expect, it } from 'vitest';
import { readGolden } from './read-golden';
import { backend, isSlow, type Loss, lossDistance, run, table, tooLong } from './seeds';
import { tolerances } from './tolerances';

/** What scripts/golden/seeds.py records; it says how. */
interface Forced {
  /** Every so many losses are judged, and the steps before them recorded. */
  every: number;
  /** Of each parameter, in the order in which optimizers step it first: in what its moves are counted. */
  grids: number[];
  /** From the recorded states, torch.float64's. */
  losses: Loss[];
  /** Of each gradient: its largest magnitude, and some entries. */
  gradients: { data: string };
  /** torch.float32's own: of its ways to compute, the farthest. */
  own: { gradient: number; above: number };
}

const { register_optimizer_step_pre_hook, register_optimizer_step_post_hook } = torch.optim;
type Optimizer = Parameters<Parameters<typeof register_optimizer_step_post_hook>[0]>[0];
const parametersOf = (optimizer: Optimizer) => optimizer.param_groups.flatMap(({ params }) => params);

const floats = (base64: string) => {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
/** As `sample` of scripts/golden/seeds.py. */
const samples = 16;
function sample(grad: tf.Tensor): number[] {
  const values = (grad.is_sparse ? grad.to_dense() : grad).dataSync<'float32'>();
  const step = Math.ceil(values.length / samples);
  return [values.reduce((most, x) => Math.max(most, Math.abs(x)), 0), ...values.filter((_, i) => i % step === 0)];
}
/** A gradient is zero but for rounding that is so much smaller than the largest of its step. */
const zero = 1e-9;

/** Of a step's gradients, the farthest. */
function gradientDistance(actual: readonly number[][], expected: readonly Float32Array[]): number {
  const most = Math.max(...expected.map(([largest]) => largest!));
  return Math.max(0, ...expected.map((e, i) => (e[0]! > zero * most ? relativeError(actual[i]!, e) : 0)));
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1]!;
const figure = (x: number) => x.toExponential(1);

describe.each(table)('%s', (name, form) => {
  it("has torch.float64's losses and gradients from torch's states", async ({ skip }) => {
    skip(isSlow(form) || isSlow(form.forced ?? {}), tooLong);
    const { every, grids, losses: expected, gradients, own } = readGolden<Forced>(`seeds/${name}.forced`);
    const file = new URL(`golden/seeds/${name}.states.gz`, import.meta.url);
    const moves = new Int8Array(gunzipSync(new Uint8Array(readFileSync(file))));
    const entries = floats(gradients.data);
    const judged = (loss: number) => (loss + 1) % every === 0;

    interface Parameter {
      grid: number;
      begun: Float32Array;
      cells: Int32Array;
    }
    const parameters = new Map<tf.Tensor, Parameter>();
    const distances: number[] = [];
    let [step, moved, compared] = [0, 0, 0];
    const before = (optimizer: Optimizer) => {
      for (const p of parametersOf(optimizer)) {
        if (parameters.has(p)) continue;
        const begun = p.dataSync().slice() as Float32Array;
        parameters.set(p, { grid: grids[parameters.size]!, begun, cells: new Int32Array(p.size) });
      }
    };
    const after = (optimizer: Optimizer) => {
      const params = parametersOf(optimizer);
      if (judged(step)) {
        const actual = params.map((p) => sample(p.grad!));
        const parts = actual.map(({ length }) => {
          compared += length;
          return entries.subarray(compared - length, compared);
        });
        distances.push(gradientDistance(actual, parts));
      }
      // The last step is recorded if another loss follows in the program, judged or not.
      if (judged(step + 1) && moved < moves.length) {
        for (const p of params) {
          const { grid, begun, cells } = parameters.get(p)!;
          for (let i = 0; i < p.size; i++) cells[i]! += moves[moved++]!;
          const values = begun.map((value, i) => value + cells[i]! * grid);
          torch.no_grad(() => p.copy_(torch.tensor(values, { dtype: torch.float32 }).view(p.shape)));
        }
      }
      step++;
    };
    const hooks = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)];
    const { losses: all } = await run(name, { ...form, ...form.forced }).finally(() => {
      for (const hook of hooks) hook.remove();
    });
    const losses = all.filter((_, i) => judged(i));

    expect([losses.length, moved, compared]).toEqual([expected.length, moves.length, entries.length]);
    const loss = Math.max(...losses.map((value, i) => lossDistance(value, expected[i]!)));
    const above = distances.filter((d) => !(d <= tolerances.forcedGradient)).length;
    console.info(
      `${backend}: ${name}, from ${losses.length} states: loss ${figure(loss)}; gradient median ${figure(median(distances))}`,
      `(torch.float32: ${figure(own.gradient)}), ${above} above ${figure(tolerances.forcedGradient)} (torch.float32: ${own.above})`,
    );
    expect(loss).toBeLessThanOrEqual(backend === 'wasm' ? tolerances.forcedLossWasm : tolerances.forcedLoss);
    expect(median(distances)).toBeLessThanOrEqual(tolerances.forcedGradientOverOwn * own.gradient);
    const part = backend === 'wasm' ? tolerances.forcedStatesAboveWasm : tolerances.forcedStatesAbove;
    // A count of rare events varies by its root.
    const more = Math.max(1, Math.floor(part * distances.length), Math.ceil(Math.sqrt(own.above)));
    expect(above).toBeLessThanOrEqual(own.above + more);
  }, 300_000);
});
