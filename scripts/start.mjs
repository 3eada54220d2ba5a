// npm start: sets up what is missing, then trains LeNet on MNIST (examples/mnist); the arguments go to it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, setUp } from './setup.mjs';

const args = process.argv.slice(2);
const { values } = parseArgs({
  args,
  strict: false,
  options: { backend: { type: 'string' }, help: { type: 'boolean' } },
});
const backend = values.backend ?? process.env.TFJS_TORCH_BACKEND;
const needsTensorflow = !values.help && (!backend || backend === 'tensorflow');

await setUp({ backend: needsTensorflow });

const example = join(root, 'examples', 'mnist', 'main.ts');
const child = spawn(process.execPath, ['--import', 'tsx', example, ...args], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
