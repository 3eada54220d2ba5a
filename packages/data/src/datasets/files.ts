import { RuntimeError } from '@tfjs-torch/core';
import type * as Tar from 'tar';

// Loaded when a file is read, and not by `import`: this package must load in a browser, and constructors are synchronous.
interface Node {
  child_process: typeof import('node:child_process');
  fs: typeof import('node:fs');
  os: typeof import('node:os');
  path: typeof import('node:path');
  zlib: typeof import('node:zlib');
  module: typeof import('node:module');
}

export function node(): Node {
  const load = (globalThis.process as { getBuiltinModule?: (name: string) => unknown } | undefined)?.getBuiltinModule;
  if (!load) throw new RuntimeError('This dataset reads files, which needs Node 20.16 or later');
  return new Proxy({} as Node, { get: (_, name) => load(`node:${String(name)}`) });
}

const isFile = (file: string) => node().fs.existsSync(file);

/** The first of `folders` that holds `name` or `name`.gz, as the path of that file; null if none does. */
export function findFile(folders: readonly string[], name: string): string | null {
  const { path } = node();
  const candidates = folders.flatMap((folder) => [path.join(folder, name), path.join(folder, `${name}.gz`)]);
  return candidates.find(isFile) ?? null;
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

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const leaves = (path: string) => /^([/\\]|[A-Za-z]:)/.test(path) || path.split(/[/\\]/).includes('..');

/**
 * The files of a .tar.gz, by their paths in it. Nothing is written to disk.
 *
 * @throws RuntimeError that names the archive: cut off, damaged, or with a path that would leave the folder it unpacks to
 */
export function readArchive(archive: string): Map<string, Uint8Array> {
  const { Parser } = node().module.createRequire(import.meta.url)('tar') as typeof Tar;
  const bytes = readFile(archive);
  const files = new Map<string, Uint8Array>();
  const outside: string[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      if (leaves(entry.path)) outside.push(entry.path);
      const parts: Uint8Array[] = [];
      entry.on('data', (part) => parts.push(view(part)));
      entry.on('end', () => {
        if (entry.type === 'File' || entry.type === 'OldFile') files.set(entry.path, joined(parts));
      });
    },
  });
  try {
    // Synchronous, as the whole of the archive is there. The types of Node 20 know no generic Buffer.
    parser.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) as unknown as Uint8Array);
    parser.end();
  } catch (error) {
    throw new RuntimeError(`${archive} is not a whole tar archive: ${(error as Error).message}`);
  }
  if (outside.length > 0) {
    throw new RuntimeError(`${archive} holds a path that leaves the folder it unpacks to: ${outside[0]}`);
  }
  return files;
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
