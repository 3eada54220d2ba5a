/** torch's way to print a tensor: torch/_tensor_str.py of 2.15 with its default options. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { isLeaf } from '../tape/autograd';
import { SparseTensor } from '../tape/sparse';
import { fields } from '../tensor/fields';
import { requiresGrad } from '../tensor/grad';
import { OwnedVariable } from '../tensor/owned-variable';

const precision = 4;
const threshold = 1000;
const edge = 3;
const lineWidth = 80;

/** Python rounds an exact half to even, JavaScript away from zero. `text` has 40 digits after the point. */
function roundedHalfEven(text: string, rounded: (digits: number) => string): string {
  const [, kept, rest] = new RegExp(`\\.(\\d{${precision}})(\\d*)`).exec(text)!;
  const tie = /^50*$/.test(rest!) && Number(kept![precision - 1]) % 2 === 0;
  return tie ? text.slice(0, text.indexOf('.') + 1 + precision) + (/e.*$/.exec(text)?.[0] ?? '') : rounded(precision);
}

const fixed = (x: number): string => special(x) ?? roundedHalfEven(x.toFixed(40), (digits) => x.toFixed(digits));
const integer = (x: number): string => special(x) ?? (Object.is(x, -0) ? '-0' : BigInt(x).toString());
const scientific = (x: number): string =>
  special(x) ??
  roundedHalfEven(x.toExponential(40), (digits) => x.toExponential(digits)).replace(
    /e([+-])(\d)$/,
    (_, sign: string, digit: string) => `e${sign}0${digit}`,
  );

function special(x: number): string | undefined {
  if (Number.isNaN(x)) return 'nan';
  return Number.isFinite(x) ? undefined : x > 0 ? 'inf' : '-inf';
}

/** How the elements of one tensor are written: all with one width. */
function formatter(values: readonly number[], dtype: Tensor['dtype']): { width: number; text(x: number): string } {
  let write: (x: number) => string;
  let shown: readonly number[] = values;
  if (dtype === 'bool') write = (x) => (x ? 'True' : 'False');
  else if (dtype !== 'float32') write = String;
  else {
    shown = values.filter((x) => Number.isFinite(x) && x !== 0);
    const magnitudes = shown.map(Math.abs);
    const [least, most] = [Math.min(...magnitudes), Math.max(...magnitudes)];
    const whole = shown.every(Number.isInteger);
    if (shown.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4)) write = scientific;
    else if (whole) write = (x) => integer(x) + (Number.isFinite(x) ? '.' : '');
    else write = fixed;
  }
  const width = shown.reduce((w, x) => Math.max(w, write(x).length), 1);
  return { width, text: (x) => write(x).padStart(width) };
}

/** The indices that are shown along a dimension of a tensor that is too large to be shown whole; null is "...". */
function visible(n: number, summarize: boolean): (number | null)[] {
  if (!summarize || n <= 2 * edge) return Array.from({ length: n }, (_, i) => i);
  const ends = Array.from({ length: edge }, (_, i) => i);
  return [...ends, null, ...ends.map((i) => n - edge + i)];
}

function body(t: Tensor, indent: number): string {
  const { shape, dtype, size } = t;
  const values = t.dataSync() as unknown as ArrayLike<number>;
  if (size === 0) return '[]';
  const summarize = size > threshold;
  const collect = (dim: number, offset: number): number[] => {
    if (dim === shape.length) return [values[offset]!];
    return visible(shape[dim]!, summarize).flatMap((i) =>
      i === null ? [] : collect(dim + 1, offset * shape[dim]! + i),
    );
  };
  const { width, text } = formatter(collect(0, 0), dtype);

  const vector = (offset: number, at: number): string => {
    const n = shape[shape.length - 1]!;
    const cells = visible(n, summarize).map((i) => (i === null ? ' ...' : text(values[offset * n + i]!)));
    const perLine = Math.max(1, Math.floor((lineWidth - at) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(at + 1)}`)}]`;
  };
  const block = (dim: number, offset: number, at: number): string => {
    if (dim === shape.length) return text(values[offset]!);
    if (dim === shape.length - 1) return vector(offset, at);
    const slices = visible(shape[dim]!, summarize).map((i) =>
      i === null ? '...' : block(dim + 1, offset * shape[dim]! + i, at + 1),
    );
    return `[${slices.join(`,${'\n'.repeat(shape.length - dim - 1)}${' '.repeat(at + 1)}`)}]`;
  };
  return block(0, 0, indent);
}

const prefix = 'tensor(';

function formatSparse(t: SparseTensor): string {
  const indices = t._indices();
  const part = (name: string, of: Tensor) =>
    `${name}=${format(of).replaceAll('\n', `\n${' '.repeat(prefix.length + name.length + 1)}`)}`;
  const parts = [
    part('indices', indices),
    part('values', t._values()),
    `size=(${t.shape.join(', ')}), nnz=${t._nnz()}, layout=torch.sparse_coo`,
  ];
  indices.dispose();
  return `${prefix}${parts.join(`,\n${' '.repeat(prefix.length)}`)})`;
}

/** `print(t)`: `tensor([1., 2.], requires_grad=True)`. Reads the tensor back. */
export function format(t: Tensor): string {
  if (t instanceof SparseTensor) return formatSparse(t);
  let text = prefix + body(t, prefix.length);
  const suffixes: string[] = [];
  if (t.size === 0 && t.rank !== 1) suffixes.push(`size=(${t.shape.join(', ')})`);
  if (!isLeaf(t)) suffixes.push(`grad_fn=<${fields(t)._node!.name}Backward0>`);
  else if (requiresGrad(t)) suffixes.push('requires_grad=True');
  for (const suffix of suffixes) {
    const last = text.length - text.lastIndexOf('\n') + 1;
    text += last + suffix.length + 2 > lineWidth ? `,\n${' '.repeat(prefix.length)}${suffix}` : `, ${suffix}`;
  }
  return `${t instanceof OwnedVariable ? 'Parameter containing:\n' : ''}${text})`;
}

/** What `console.log` shows; says something of every tensor, also of one whose values cannot be read just now. */
export function inspect(t: Tensor): string {
  try {
    return format(t);
  } catch {
    return `tensor(size=(${t.shape.join(', ')}), dtype=${t.dtype}${t.isDisposed ? ', disposed' : ''})`;
  }
}
