import { defineConfig } from 'vitest/config';

const conditions = ['tfjs-torch-source', 'node', 'import', 'module', 'default'];
const backends = (process.env.TFJS_TORCH_TEST_BACKENDS ?? 'cpu,wasm,tensorflow').split(',');

// One project per backend over the same files; setup.ts skips by name what cannot load.
export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  resolve: { conditions },
  test: {
    projects: backends.map((name) => ({
      extends: true,
      test: {
        name,
        env: { TFJS_TORCH_BACKEND: name },
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
