import { defineConfig } from 'tsup';

// Shared by every package: `tsup` runs in the package's folder and reads this file by its build script.
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  dts: false, // scripts/declarations.mjs writes them
  clean: true,
  sourcemap: true,
  tsconfig: '../../tsconfig.json',
  external: [/^#/], // package.json's "imports" are for whoever loads it
});
