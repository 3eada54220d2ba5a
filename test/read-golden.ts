import { readFileSync } from 'node:fs';

/** What a script of scripts/golden recorded, by the name of its file in test/golden. */
export const readGolden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8'));
