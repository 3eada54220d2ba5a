/**
 * Compares a model of one's own with its original, which main.py recorded in torch.
 *
 *   pnpm parity [--backend wasm]
 */
import { parseArgs } from 'node:util';
import { initBackend } from '@tfjs-torch/node';
import { compare } from '@tfjs-torch/parity';
import { forced, golden, trained } from './net';

const { values } = parseArgs({ options: { backend: { type: 'string' } } });
const { backend } = await initBackend({ backend: values.backend, quiet: true });

console.log(
  `One step on ${backend} from each of torch's states\n\n${compare(forced(), golden).report({ count: 5 })}\n`,
);
console.log(`The whole run on ${backend}, from the seed on\n\n${compare(trained(), golden).report({ count: 5 })}`);
