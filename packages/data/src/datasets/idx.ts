import { RuntimeError } from '@tfjs-torch/core';
import { readFile } from './files';

export interface Idx {
  shape: number[];
  data: Uint8Array;
}

/** Reads an idx file of unsigned bytes with `rank` dimensions. @throws RuntimeError: the file, what was expected, what was found */
export function readIdx(file: string, rank: number): Idx {
  const bytes = readFile(file);
  const header = 4 + 4 * rank;
  const magic = 0x0800 | rank;
  const hex = (x: number) => `0x${x.toString(16).padStart(8, '0')}`;
  const expected = `an idx file of unsigned bytes with ${rank} dimension${rank === 1 ? '' : 's'} (magic ${hex(magic)})`;
  if (bytes.length < header) {
    throw new RuntimeError(
      `${file}: expected ${expected}, which has a header of ${header} bytes; found ${bytes.length} in all`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = view.getUint32(0);
  if (found !== magic) throw new RuntimeError(`${file}: expected ${expected}, found magic ${hex(found)}`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = header + shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== size) {
    const dimensions = shape.join(' × ');
    throw new RuntimeError(
      `${file}: expected ${size} bytes for ${dimensions} values, found ${bytes.length}${bytes.length < size ? ' (truncated)' : ''}`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}
