import { SingleBar } from 'cli-progress';

const everySeconds = 10;

/** tqdm's part: a bar that moves on a terminal; elsewhere a line every ten seconds and one at the end. */
export function progress(epoch: number, images: number) {
  const start = performance.now();
  const bar = process.stderr.isTTY ? new SingleBar(barOptions(epoch)) : null;
  let [done, loss, printed] = [0, Number.NaN, start];

  const figures = () => ({ speed: Math.round(done / ((performance.now() - start) / 1000)), loss: loss.toFixed(4) });
  const print = () => {
    const { speed, loss } = figures();
    console.error(`epoch ${epoch}: ${done}/${images} images, ${speed} images/s, loss ${loss}`);
  };

  bar?.start(images, 0, { speed: '-', loss: '-' });
  return {
    update(count: number, lossNow: number) {
      done += count;
      loss = lossNow;
      bar?.update(done, figures());
      if (!bar && performance.now() - printed > 1000 * everySeconds) {
        printed = performance.now();
        print();
      }
    },
    stop() {
      if (bar) bar.stop();
      else print();
    },
  };
}

const barOptions = (epoch: number) => ({
  format: `epoch ${epoch} {bar} {percentage} % | {value}/{total} images | {speed} images/s | loss {loss}`,
  barCompleteChar: '\u2588',
  barIncompleteChar: '\u2591',
  // A handler for Ctrl-C would wait for the end of the training loop, which is synchronous: leave it to end the process.
  gracefulExit: false,
});
