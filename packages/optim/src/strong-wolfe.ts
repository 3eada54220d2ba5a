import { dot, largest } from './flat';

/** The loss and the gradient at a step length along a direction, and the gradient's component in it. */
export interface Trial {
  t: number;
  f: number;
  g: Float32Array;
  gtd: number;
}

/** The minimum of the cubic through two points with their slopes, within bounds: those of the two, if none are given. */
function cubicMinimum(
  { t: x1, f: f1, gtd: g1 }: Trial,
  { t: x2, f: f2, gtd: g2 }: Trial,
  [least, most] = x1 <= x2 ? [x1, x2] : [x2, x1],
): number {
  const d1 = g1 + g2 - (3 * (f1 - f2)) / (x1 - x2);
  const square = d1 ** 2 - g1 * g2;
  if (!(square >= 0)) return (least! + most!) / 2;
  const d2 = Math.sqrt(square);
  const at =
    x1 <= x2
      ? x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
      : x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2));
  return Math.min(Math.max(at, least!), most!);
}

/**
 * A step length that meets the strong Wolfe conditions, or the best one found: torch's `_strong_wolfe`, after Schmidt's
 * minFunc.
 * @param start the point to leave from: its length is 0
 * @param evaluate the loss and the gradient at a length
 * @param maxSearches how often to try another length
 */
export function* strongWolfe<Request>(
  start: Trial,
  d: Float32Array,
  length: number,
  evaluate: (t: number) => Generator<Request, { f: number; g: Float32Array }, unknown>,
  { c1 = 1e-4, c2 = 0.9, toleranceChange = 1e-9, maxSearches = 25 },
): Generator<Request, Trial & { evaluations: number }, unknown> {
  let searches = 0;
  let evaluations = 0;
  function* attempt(t: number) {
    const { f, g } = yield* evaluate(t);
    evaluations++;
    return { t, f, g, gtd: dot(g, d) };
  }
  const tooHigh = ({ t, f }: Trial) => f > start.f + c1 * t * start.gtd;
  const flat = ({ gtd }: Trial) => Math.abs(gtd) <= -c2 * start.gtd;

  // Widen until the point is found, or is between two.
  let previous = start;
  let current = yield* attempt(length);
  let bracket: Trial[] | undefined;
  let done = false;
  while (searches < maxSearches) {
    if (tooHigh(current) || (searches > 1 && current.f >= previous.f)) {
      bracket = [previous, current];
      break;
    }
    if (flat(current)) {
      bracket = [current];
      done = true;
      break;
    }
    if (current.gtd >= 0) {
      bracket = [previous, current];
      break;
    }
    const { t } = current;
    const next = cubicMinimum(previous, current, [t + 0.01 * (t - previous.t), t * 10]);
    previous = current;
    current = yield* attempt(next);
    searches++;
  }
  const pair = bracket ?? [start, current];

  // Narrow.
  const lowest = () => (pair[0]!.f <= pair.at(-1)!.f ? ([0, 1] as const) : ([1, 0] as const));
  let [low, high] = lowest();
  let stuck = false;
  const reach = largest(d);
  while (!done && searches < maxSearches) {
    const [a, b] = pair as [Trial, Trial];
    if (Math.abs(b.t - a.t) * reach < toleranceChange) break;
    let t = cubicMinimum(a, b);
    const [least, most] = [Math.min(a.t, b.t), Math.max(a.t, b.t)];
    const margin = 0.1 * (most - least);
    if (Math.min(most - t, t - least) < margin) {
      // Too near an end: once is let pass, then it is moved away.
      if (stuck || t >= most || t <= least) {
        t = Math.abs(t - most) < Math.abs(t - least) ? most - margin : least + margin;
        stuck = false;
      } else stuck = true;
    } else stuck = false;

    const tried = yield* attempt(t);
    searches++;
    if (tooHigh(tried) || tried.f >= pair[low]!.f) {
      pair[high] = tried;
      [low, high] = lowest();
    } else {
      if (flat(tried)) done = true;
      else if (tried.gtd * (pair[high]!.t - pair[low]!.t) >= 0) pair[high] = pair[low]!;
      pair[low] = tried;
    }
  }
  return { ...pair[low]!, evaluations };
}
