/** A schedule of the learning rate as data; `h` are its options, `t` counts the scheduler's steps from 0. */
export interface Schedule<H extends object> {
  /** The rate at `t` of a group that began with `base`. */
  closed(h: H, base: number, t: number): number;
  /** The rate at `t` from the one at `t - 1`, whoever set that. */
  next(h: H, lr: number, t: number): number;
}
