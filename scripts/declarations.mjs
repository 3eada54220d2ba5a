// Writes dist/**/*.d.ts of every package in one go of TypeScript, file by file: bundled, they lose torch as a namespace of
// types and what the sources add to tfjs's Tensor.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
config.include = ['packages/*/src'];
config.exclude = ['**/*.test.ts'];
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(fileNames, {
  ...options,
  noEmit: false,
  declaration: true,
  emitDeclarationOnly: true,
});

/** Node's own resolution (NodeNext) wants relative specifiers in full. */
function inFull(specifier, file) {
  const path = resolve(dirname(file), specifier);
  return existsSync(`${path}.ts`)
    ? `${specifier}.js`
    : existsSync(join(path, 'index.ts'))
      ? `${specifier}/index.js`
      : null;
}

let files = 0;
const problems = [];
const { diagnostics } = program.emit(undefined, (path, text) => {
  const complete = text.replace(/(\bfrom |\bimport |\bimport\()(['"])(\.[^'"]*)\2/g, (_, before, quote, specifier) => {
    const full = inFull(specifier, path);
    if (full === null) problems.push(`${path}: '${specifier}' is no file of the package`);
    return `${before}${quote}${full}${quote}`;
  });
  const lib = text.includes('[Symbol.dispose]') ? '/// <reference lib="esnext.disposable" />\n' : '';
  const out = path.replace('/src/', '/dist/');
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, lib + complete);
  files += 1;
});
if (diagnostics.length > 0) {
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' };
  problems.push(ts.formatDiagnostics(diagnostics, host));
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else console.log(`${files} declaration files`);
