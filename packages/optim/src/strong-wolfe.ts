import { dot, largest } from './flat';
import { add, div, less, max, min, mul, numberOf, type Scalar, single, sub } from './scalar';

// What torch's _strong_wolfe is never told otherwise.
/** How much of the decrease that the slope promises is enough. */
const DECREASE = 1e-4;
/** How much of the slope may be left. */
const CURVATURE = 0.9;
/** Shorter brackets are not searched. */
const SHORTEST = 1e-9;

/** The loss and the gradient at a step length along a direction, and the gradient's component in it. */
export interface Trial {
  t: Scalar;
  f: number;
  g: Float32Array;
  gtd: Scalar;
}

/** The minimum of the cubic through two points with their slopes, within bounds: those of the two, if none are given. */
function cubicMinimum(a: Trial, b: Trial, bounds?: readonly [Scalar, Scalar]): Scalar {
  const [near, far] = less(b.t, a.t) ? [b, a] : [a, b];
  const [least, most] = bounds ?? [near.t, far.t];
  const d1 = sub(add(a.gtd, b.gtd), div(3 * (a.f - b.f), sub(a.t, b.t)));
  const square = numberOf(sub(mul(d1, d1), mul(a.gtd, b.gtd)));
  if (!(square >= 0)) return div(add(least, most), 2);
  const d2 = single(Math.sqrt(square));
  const back = div(sub(add(far.gtd, d2), d1), add(sub(far.gtd, near.gtd), mul(2, d2)));
  return min(max(sub(far.t, mul(sub(far.t, near.t), back)), least), most);
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
  length: Scalar,
  evaluate: (t: Scalar) => Generator<Request, { f: number; g: Float32Array }, unknown>,
  maxSearches: number,
): Generator<Request, Trial & { evaluations: number }, unknown> {
  let searches = 0;
  function* attempt(t: Scalar) {
    const { f, g } = yield* evaluate(t);
    return { t, f, g, gtd: single(dot(g, d)) };
  }
  const tooHigh = ({ t, f }: Trial) => less(add(start.f, mul(mul(DECREASE, t), start.gtd)), f);
  const flat = ({ gtd }: Trial) => Math.abs(numberOf(gtd)) <= numberOf(mul(-CURVATURE, start.gtd));

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
    if (numberOf(current.gtd) >= 0) {
      bracket = [previous, current];
      break;
    }
    const { t } = current;
    const next = cubicMinimum(previous, current, [add(t, mul(0.01, sub(t, previous.t))), mul(t, 10)]);
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
    if (Math.abs(numberOf(sub(b.t, a.t))) * reach < SHORTEST) break;
    let t = cubicMinimum(a, b);
    const [least, most] = [min(a.t, b.t), max(a.t, b.t)];
    const margin = mul(0.1, sub(most, least));
    const [below, above] = [sub(most, t), sub(t, least)];
    if (less(min(below, above), margin)) {
      // Too near an end: once is let pass, then it is moved away.
      if (stuck || !less(t, most) || !less(least, t)) {
        const nearMost = Math.abs(numberOf(below)) < Math.abs(numberOf(above));
        t = nearMost ? sub(most, margin) : add(least, margin);
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
      else if (numberOf(mul(tried.gtd, sub(pair[high]!.t, pair[low]!.t))) >= 0) pair[high] = pair[low]!;
      pair[low] = tried;
    }
  }
  return { ...pair[low]!, evaluations: searches + 1 };
}
