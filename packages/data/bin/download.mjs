// node download.mjs '{"urls": […], "file": …, "md5": …}': fetches `file` from the first of `urls` that has it whole. What went
// wrong with each goes to stdout; the bar, or a line every ten seconds, to stderr.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SingleBar } from 'cli-progress';

const everySeconds = 10;
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

function progress(name, total) {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: `${name} {bar} {percentage} % | {done}/{all} MB`, hideCursor: true })
    : null;
  const all = total ? megabytes(total) : '?';
  let [done, printed] = [0, performance.now()];
  bar?.start(total || 1, 0, { done: '0.0', all });
  return {
    update(bytes) {
      done += bytes;
      bar?.update(Math.min(done, total || 1), { done: megabytes(done), all });
      if (bar || performance.now() - printed < 1000 * everySeconds) return;
      printed = performance.now();
      console.error(`${name}: ${megabytes(done)}/${all} MB`);
    },
    stop: () => bar?.stop(),
  };
}

async function fetchTo(url, file, md5) {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${response.status} ${response.statusText}`);
  const bar = progress(basename(file), Number(response.headers.get('content-length')));
  const hash = createHash('md5');
  const count = new Transform({
    transform(chunk, _, done) {
      hash.update(chunk);
      bar.update(chunk.length);
      done(null, chunk);
    },
  });
  const part = `${file}.${process.pid}.part`;
  try {
    await pipeline(Readable.fromWeb(response.body), count, createWriteStream(part));
    const found = hash.digest('hex');
    if (found !== md5) throw new Error(`expected md5 ${md5}, found ${found}`);
    await rename(part, file);
  } finally {
    bar.stop();
    await rm(part, { force: true });
  }
}

const { urls, file, md5 } = JSON.parse(process.argv[2]);
process.exitCode = 1;
for (const url of urls) {
  try {
    await fetchTo(url, file, md5);
    process.exitCode = 0;
    break;
  } catch (error) {
    console.log(`${url}: ${error.cause?.message ?? error.message}`);
  }
}
