import { readFileSync } from 'node:fs';
import type { Case, ErrorCase, Problem } from './golden';

/** What scripts/golden/optim_classes.py writes. */
export interface ClassGolden {
  head: { format: number; torch: string; seed: number; threads: number; cpu: string };
  /** Gradients that are given; those of `sparse` are. */
  problems: Record<string, Omit<Problem, 'grads'> & { grads: (number[] | SparseValues)[][] }>;
  /** Those that a closure computes. */
  objectives: Record<string, Objective>;
  cases: ClassCase[];
  newtonSchulz: { shape: [number, number]; x: number[]; y: number[] }[];
  errors: ErrorCase[];
}

/** Entries of a sparse gradient: their rows, and all their values. */
export interface SparseValues {
  rows: number[];
  values: number[];
}

export interface Objective {
  shapes: number[][];
  starts: number[][];
  weights: number[];
  target: number[];
  coupling: number;
}

export interface ClassCase extends Omit<Case, 'state'> {
  state: Record<string, Record<string, unknown>>;
  /** Of a closure, by step. */
  losses?: number[];
  /** LBFGS: what torch as it is makes of the case, which has its dot products and sums in float64. */
  usual?: Pick<Case, 'params'> & { losses: number[] };
}

export const classGolden = JSON.parse(
  readFileSync(new URL('../golden/optim-classes.json', import.meta.url), 'utf8'),
) as ClassGolden;
