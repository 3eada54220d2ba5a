import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['tfjs-torch-source', 'node', 'import', 'module', 'default'];
const backends = (process.env.TFJS_TORCH_TEST_BACKENDS ?? 'cpu,wasm,tensorflow').split(',');

// What TensorFlow's rounding depends on besides the CPU: the same in every run.
const fixed = { TF_ENABLE_ONEDNN_OPTS: '1', TF_NUM_INTRAOP_THREADS: '2', TF_NUM_INTEROP_THREADS: '1' };

// One project per backend over the same files; setup.ts skips by name what cannot load.
export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
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
