import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['tfjs-torch-source', 'node', 'import', 'module', 'default'];
const backends = (process.env.TFJS_TORCH_TEST_BACKENDS ?? 'cpu,wasm,tensorflow').split(',');

// What TensorFlow's rounding depends on besides the CPU: the same in every run.
const fixed = { TF_ENABLE_ONEDNN_OPTS: '1', TF_NUM_INTRAOP_THREADS: '2', TF_NUM_INTEROP_THREADS: '1' };

/** `import('./x.ts?replace=[["this","by that"]]')`: a program as it stands, but for some of its text. */
const replacing = {
  name: 'replace',
  enforce: 'pre' as const,
  transform(code: string, id: string) {
    const query = new URLSearchParams(id.split('?')[1] ?? '').get('replace');
    if (query === null) return null;
    return (JSON.parse(query) as [string, string][]).reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${id} has no ${from}`);
      return text.replaceAll(from, to);
    }, code);
  },
};

// One project per backend over the same files; setup.ts skips by name what cannot load.
export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  plugins: [replacing],
  test: {
    // Vitest leaves a core to itself, which on two is half of them.
    maxWorkers: availableParallelism(),
    projects: backends.map((name) => ({
      extends: true,
      test: {
        name,
        env: { TFJS_TORCH_BACKEND: name, ...(name === 'tensorflow' && fixed) },
        include: ['test/**/*.test.ts', 'packages/*/src/**/*.test.ts'],
        setupFiles: ['test/setup.ts'],
        pool: 'forks',
        execArgv: ['--expose-gc'],
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
  },
});
