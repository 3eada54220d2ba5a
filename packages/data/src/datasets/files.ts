import { RuntimeError } from '@tfjs-torch/core';

// Loaded when a file is read, and not by `import`: this package must load in a browser, and constructors are synchronous.
interface Node {
  fs: typeof import('node:fs');
  os: typeof import('node:os');
  path: typeof import('node:path');
  zlib: typeof import('node:zlib');
  module: typeof import('node:module');
}

function node(): Node {
  const load = (globalThis.process as { getBuiltinModule?: (name: string) => unknown } | undefined)?.getBuiltinModule;
  if (!load) throw new RuntimeError('This dataset reads files, which needs Node 20.16 or later');
  return new Proxy({} as Node, { get: (_, name) => load(`node:${String(name)}`) });
}

/** The first of `folders` that holds `name` or `name`.gz, as the path of that file; null if none does. */
export function findFile(folders: readonly string[], name: string): string | null {
  const { fs, path } = node();
  const candidates = folders.flatMap((folder) => [path.join(folder, name), path.join(folder, `${name}.gz`)]);
  return candidates.find((file) => fs.existsSync(file)) ?? null;
}

const view = ({ buffer, byteOffset, length }: Buffer) => new Uint8Array(buffer, byteOffset, length);

/** The bytes of a file, unpacked if its name ends in .gz. @throws RuntimeError that names the file */
export function readFile(file: string): Uint8Array {
  const { fs, zlib } = node();
  const bytes = view(fs.readFileSync(file));
  if (!file.endsWith('.gz')) return bytes;
  try {
    return view(zlib.gunzipSync(bytes));
  } catch (error) {
    throw new RuntimeError(`${file} is not a whole gzip file of ${bytes.length} bytes: ${(error as Error).message}`);
  }
}

export function joinPath(folder: string, ...parts: string[]): string {
  const { os, path } = node();
  return path.join(folder.replace(/^~(?=$|[/\\])/, os.homedir()), ...parts);
}

/** The folder of an installed npm package, seen from here or from the program's folder; null if there is none. */
export function packageFolder(name: string): string | null {
  const { module, path } = node();
  for (const from of [import.meta.url, path.join(process.cwd(), 'index.js')]) {
    try {
      return path.dirname(module.createRequire(from).resolve(`${name}/package.json`));
    } catch {
      // Not installed for this one.
    }
  }
  return null;
}
