import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'tsup';

// Shared by every package: `tsup` runs in the package's folder and reads this file by its build script. Each module becomes a
// file, so that a bundler, which goes by files ("sideEffects"), leaves out those that a page does not use.
export default defineConfig({
  entry: ['src/**/*.ts', '!src/**/*.test.ts'],
  format: ['esm'],
  target: 'es2022',
  dts: false, // scripts/declarations.mjs writes them
  clean: true,
  sourcemap: true,
  splitting: false,
  tsconfig: '../../tsconfig.json',
  external: [/^#/], // package.json's "imports" are for whoever loads it
  esbuildPlugins: [
    {
      name: 'modules stay apart',
      setup({ onResolve }) {
        onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
          if (kind === 'entry-point') return;
          const isFile = existsSync(join(resolveDir, `${path}.ts`));
          return { path: `${path}${isFile ? '' : '/index'}.js`, external: true };
        });
      },
    },
  ],
});
