import { type BackendReport, initBackend } from './backends';
import { setUpTensorflow } from './binding';
import { reasonOf } from './tfjs-node';

const help = `Usage: tfjs-torch backend [--setup] [--backend NAME]

  tfjs-torch backend             print which backends of TensorFlow.js are here, which is taken and why
  tfjs-torch backend --setup     first get or build the native binding of tfjs-node (kept in a cache)
  --backend NAME                 take this one: tensorflow-gpu, tensorflow, wasm or cpu
`;

const usage = (message: string) => {
  process.stderr.write(`tfjs-torch: ${message}\n\n${help}`);
  return 2;
};

/** The program `tfjs-torch`; returns its exit status. */
export async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h') || args.length === 0) {
    process.stdout.write(help);
    return 0;
  }
  const [command, ...rest] = args;
  if (command !== 'backend') return usage(`unknown command '${command}'`);
  let setup = false;
  let backend: string | undefined;
  while (rest.length > 0) {
    const option = rest.shift();
    if (option === '--setup') setup = true;
    else if (option === '--backend' && rest.length > 0) backend = rest.shift();
    else return usage(`unknown option '${option}'`);
  }
  let failed = false;
  if (setup) {
    try {
      const { binding, source } = await setUpTensorflow();
      process.stdout.write(`tensorflow: ${binding} (${source})\n`);
    } catch (error) {
      process.stderr.write(`tensorflow: ${reasonOf(error)}\n`);
      failed = true;
    }
  }
  try {
    process.stdout.write(format(await initBackend({ backend, quiet: true })));
  } catch (error) {
    process.stderr.write(`tfjs-torch: ${reasonOf(error)}\n`);
    failed = true;
  }
  return failed ? 1 : 0;
}

function format({ backend, why, found }: BackendReport): string {
  const rows = found.flatMap(({ backend: name, available, detail, remedy }) => [
    `  ${available ? '+' : '-'} ${name.padEnd(14)} ${detail}`,
    ...(remedy ? [`    ${' '.repeat(14)} ${remedy}`] : []),
  ]);
  return `found\n${rows.join('\n')}\nchosen\n  ${backend}: ${why}\n`;
}
