import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

const path = new URL('results.md', import.meta.url);

/** What the figures were measured on. */
export const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;

/** Puts a section, which begins with its heading `# …`, into results.md in place of the one with that heading. */
export function writeSection(text: string): void {
  const heading = text.split('\n', 1)[0]!;
  const sections = existsSync(path) ? readFileSync(path, 'utf8').split(/^(?=# )/m) : [];
  const at = sections.findIndex((section) => section.startsWith(`${heading}\n`));
  sections.splice(at < 0 ? sections.length : at, at < 0 ? 0 : 1, text);
  writeFileSync(path, `${sections.map((section) => section.trim()).join('\n\n')}\n`);
}
