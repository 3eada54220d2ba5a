import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';

const [width, height] = [480, 200];
const [left, right, top, bottom] = [52, 12, 28, 28];
const colours = ['#1f6fb4', '#d1622b', '#2f8f4e', '#8e44ad', '#1aa6a6', '#c9a400', '#555', '#d6336c'];
const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** A line chart as SVG: `series[i][t]` is the i-th learning rate at epoch t. With `names`, a legend says which is which. */
export function chart(title: string, series: readonly (readonly number[])[], names: readonly string[] = []): string {
  const x = scaleLinear([0, series[0]!.length - 1], [left, width - right]);
  const y = scaleLinear([0, Math.max(...series.flat())], [height - bottom, top]).nice(4);
  const path = line<number>((_, t) => x(t), y).digits(1);
  const grid = y.ticks(4).map((tick) => {
    const at = y(tick).toFixed(1);
    const label = `<text x="${left - 6}" y="${at}" dy="0.32em" text-anchor="end">${Number(tick.toPrecision(3))}</text>`;
    return `<path d="M${left},${at}H${width - right}" stroke="#ddd"/>${label}`;
  });
  const epochs = x
    .ticks(6)
    .map((t) => `<text x="${x(t).toFixed(1)}" y="${height - bottom + 16}" text-anchor="middle">${t}</text>`);
  const lines = series.map(
    (values, i) => `<path d="${path(values)}" fill="none" stroke="${colours[i % colours.length]}" stroke-width="2"/>`,
  );
  const legend = names.map((name, i) => {
    const at = top + 6 + 15 * i;
    const colour = colours[i % colours.length];
    return `<path d="M${width - 96},${at}h14" stroke="${colour}" stroke-width="2"/><text x="${width - 76}" y="${at}" dy="0.32em">${escaped(name)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="17" font-size="13">${escaped(title)}</text>`,
    ...grid,
    ...epochs,
    ...lines,
    ...legend,
    '</svg>\n',
  ].join('\n');
}
