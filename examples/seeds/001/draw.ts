import { type Color, plot } from 'simple-ascii-chart';
import { chart } from '../../schedules/chart';

const colours: Color[] = [
  'ansiBlue',
  'ansiRed',
  'ansiGreen',
  'ansiMagenta',
  'ansiCyan',
  'ansiYellow',
  'ansiWhite',
  'ansiBlack',
];
const span = 20;

/** The mean of each value and of up to 19 before it: a batch's own loss jumps. */
const smooth = (values: readonly number[]) =>
  values.map((_, i) => {
    const near = values.slice(Math.max(0, i + 1 - span), i + 1);
    return near.reduce((a, b) => a + b, 0) / near.length;
  });

/** Curves of losses, by name, for a terminal and as SVG. */
export function draw(curves: Record<string, readonly number[]>): { terminal: string; svg: string } {
  const names = Object.keys(curves);
  const lines = Object.values(curves).map(smooth);
  const title = `loss by batch, mean of ${span}`;
  const terminal = plot(
    lines.map((line) => line.map((loss, i): [number, number] => [i + 1, loss])),
    {
      title,
      width: 72,
      height: 18,
      color: names.map((_, i) => colours[i % colours.length]!),
      customXAxisTicks: lines[0]!.map((_, i) => i + 1).filter((i) => i % 50 === 0),
      legend: { position: 'bottom', series: names },
    },
  );
  // Grey for black, which a dark terminal does not show.
  return { terminal: terminal.replaceAll('\u001b[30m', '\u001b[90m'), svg: chart(title, lines, names) };
}
