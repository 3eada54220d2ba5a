import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import torch from 'tfjs-torch';

/** The folder named by CIFAR10_ROOT, or one with a small set in the form of CIFAR-10's binary version. */
export function cifar10Root(): string {
  const given = process.env.CIFAR10_ROOT;
  if (given) return given;
  console.log('CIFAR10_ROOT is not set: 640 generated pictures in the place of CIFAR-10');
  return generated();
}

/** 640 pictures, stripes that differ from class to class under noise: `generated` of datasets.py makes the same. */
export function generated(): string {
  const generator = new torch.Generator().manual_seed(0);
  const labels = torch.randint(0, 10, [640], { generator }).dataSync();
  const noise = torch.randint(0, 128, [640, 3, 32, 32], { generator }).dataSync();
  const bytes = new Uint8Array(640 * 3073);
  for (const [i, label] of labels.entries()) {
    bytes[i * 3073] = label;
    for (let j = 0; j < 3072; j++) {
      const [channel, row, column] = [j >> 10, (j >> 5) & 31, j & 31];
      const stripe = ((row * (1 + (label % 5)) + column * Math.floor(label / 5) + 4 * channel) % 16) * 8;
      bytes[i * 3073 + 1 + j] = noise[i * 3072 + j]! + stripe;
    }
  }
  const root = mkdtempSync(join(tmpdir(), 'cifar-'));
  process.once('exit', () => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'cifar-10-batches-bin'));
  writeFileSync(join(root, 'cifar-10-batches-bin', 'test_batch.bin'), bytes);
  return root;
}
