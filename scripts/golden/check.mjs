// pnpm golden:check: runs check.py beside this file with a Python that has torch 2.15.0: $TFJS_TORCH_PYTHON, or python3.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const python = process.env.TFJS_TORCH_PYTHON ?? 'python3';
const probe = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
if (!probe.stdout?.startsWith('2.15.0')) {
  console.error(
    `golden:check needs torch 2.15.0; ${python} has ${probe.stdout?.trim() || 'none'}. Set TFJS_TORCH_PYTHON to one that has it.`,
  );
  process.exit(1);
}
const script = fileURLToPath(new URL('check.py', import.meta.url));
process.exitCode = spawnSync(python, [script, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
