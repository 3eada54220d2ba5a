// Box-Muller on blocks of 8 + 8, bit for bit what torch's AVX2 build computes: Cephes' single-precision log and sincos
// (ATen/native/cpu/avx_mathfun.h), with the multiply-adds that its compiler fuses. `fround(a * b + c)` is such a fused one:
// the product of two float32 is exact in float64.

const f = Math.fround;
const word = new Int32Array(1);
const asFloat = new Float32Array(word.buffer);

const sqrtHalf = f(Math.SQRT1_2);
const l0 = f(7.0376836292e-2);
const l1 = f(-1.151461031e-1);
const l2 = f(1.167699874e-1);
const l3 = f(-1.2420140846e-1);
const l4 = f(1.4249322787e-1);
const l5 = f(-1.6668057665e-1);
const l6 = f(2.0000714765e-1);
const l7 = f(-2.4999993993e-1);
const l8 = f(3.3333331174e-1);
// ln 2 in two parts, the larger one exact in few bits.
const ln2Low = f(-2.1219444e-4);
const ln2High = 0.693359375;

function log(u: number): number {
  asFloat[0] = u;
  let exponent = (word[0]! >>> 23) - 126;
  word[0] = (word[0]! & 0x807fffff) | 0x3f000000;
  let x = asFloat[0]!;
  if (x < sqrtHalf) {
    exponent -= 1;
    x = f(f(x - 1) + x);
  } else x = f(x - 1);
  const z = f(x * x);
  let y = f(l0 * x + l1);
  y = f(y * x + l2);
  y = f(y * x + l3);
  y = f(y * x + l4);
  y = f(y * x + l5);
  y = f(y * x + l6);
  y = f(y * x + l7);
  y = f(y * x + l8);
  y = f(f(y * x) * z + f(exponent * ln2Low));
  y = f(y - z * 0.5);
  return f(exponent * ln2High + f(x + y));
}

const twoPi = f(2 * Math.PI);
const fourOverPi = f(4 / Math.PI);
// π/4 in three parts.
const p1 = 0.78515625;
const p2 = 2.4187564849853516e-4;
const p3 = f(3.774894977445941e-8);
const c0 = f(2.443315711809948e-5);
const c1 = f(-1.388731625493765e-3);
const c2 = f(4.166664568298827e-2);
const s0 = f(-1.9515295891e-4);
const s1 = f(8.3321608736e-3);
const s2 = f(-1.6666654611e-1);

/** Turns the 16 uniforms at `at` into normals, in place. `mean` and `std` are float32. */
export function boxMuller16(out: Float32Array, at: number, mean: number, std: number): void {
  for (let i = at; i < at + 8; i++) {
    const radius = f(Math.sqrt(f(-2 * log(f(1 - out[i]!)))));
    const theta = f(twoPi * out[i + 8]!);

    const octant = (Math.trunc(f(theta * fourOverPi)) + 1) & ~1;
    let x = f(theta - octant * p1);
    x = f(x - octant * p2);
    x = f(x - octant * p3);
    const z = f(x * x);
    let cosine = f(c0 * z + c1);
    cosine = f(cosine * z + c2);
    cosine = f(f(f(cosine * z) * z - f(z * 0.5)) + 1);
    let sine = f(s0 * z + s1);
    sine = f(sine * z + s2);
    sine = f(f(sine * z) * x + x);

    const swapped = (octant & 2) !== 0;
    const sin = (octant & 4 ? -1 : 1) * (swapped ? cosine : sine);
    const cos = ((octant - 2) & 4 ? 1 : -1) * (swapped ? sine : cosine);
    out[i] = f(radius * cos) * std + mean;
    out[i + 8] = f(radius * sin) * std + mean;
  }
}
