import { internal, type Job } from '@tfjs-torch/optim';

type Expressions = Omit<internal.Algebra<string>, 'leaf'>;

const expressions: Expressions = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  max: (a, b) => `(${a} > ${b}) | (${a} != ${a}) ? ${a} : ${b}`,
  min: (a, b) => `(${a} < ${b}) | (${a} != ${a}) ? ${a} : ${b}`,
  gt: (a, b) => `${a} > ${b}`,
  where: (condition, a, b) => `${condition} ? ${a} : ${b}`,
  neg: (a) => `-${a}`,
  sqrt: (a) => `__builtin_sqrtf(${a})`,
  abs: (a) => `__builtin_fabsf(${a})`,
  sign: (a) => `float(${a} > 0) - float(${a} < 0)`,
};

function literal(x: number): string {
  if (Number.isNaN(x)) return '__builtin_nanf("")';
  const sign = x < 0 || Object.is(x, -0) ? '-' : '';
  const size = Math.abs(Math.fround(x));
  return `(${sign}${size === Number.POSITIVE_INFINITY ? '__builtin_inff()' : `${size.toExponential()}f`})`;
}

/** C++ that updates `n` elements by a traced rule: each operation is rounded on its own, as it is in an op of TensorFlow. */
export function ruleSource({ slots, scalars, outputs }: Job['traced']): string {
  const inputs = ['param', 'grad', ...slots];
  const names = Object.keys(outputs);
  const lines: string[] = [];
  const bound = Object.entries(expressions).map(([op, expression]) => [
    op,
    (...args: Parameters<typeof expression>) => {
      lines.push(`const auto t${lines.length} = ${expression(...args)};`);
      return `t${lines.length - 1}`;
    },
  ]);
  const results = internal.fold(Object.values(outputs), {
    ...(Object.fromEntries(bound) as Expressions),
    leaf(op, name) {
      if (op === 'input') return `v${inputs.indexOf(name as string)}`;
      return op === 'scalar' ? `s${scalars.indexOf(name as string)}` : literal(name as number);
    },
  });
  const loop = (from: string, to: string, place: (i: number) => string) => [
    // An element depends on no other, though memory may be shared.
    '#if defined(__clang__)',
    '#pragma clang loop vectorize(assume_safety)',
    '#else',
    '#pragma GCC ivdep',
    '#endif',
    `for (long i = ${from}; i < ${to}; i++) {`,
    ...inputs.map((_, i) => `const float v${i} = x${i}[i];`),
    ...lines,
    ...results.map((result, i) => `${place(i)} = ${result};`),
    '}',
  ];
  const whole = loop('0', 'n', (i) => `y${i}[i]`);
  const update = (name: string, body: readonly string[]) => [
    `extern "C" void ${name}(const float* s, const float* const* x, float* const* y, long n) {`,
    ...scalars.map((_, i) => `const float s${i} = s[${i}];`),
    ...inputs.map((_, i) => `const float* x${i} = x[${i}];`),
    ...names.map((_, i) => `float* y${i} = y[${i}];`),
    ...body,
    '}',
  ];
  const param = names.indexOf('param');
  return [
    '#if defined(__SSE__)',
    '#include <xmmintrin.h>',
    '#endif',
    `extern "C" const int sizes[] = {${[scalars.length, inputs.length, names.length]}};`,
    `extern "C" const int replaces[] = {${names.map((name) => inputs.indexOf(name))}};`,
    ...update('update', whole),
    ...update('stream', [
      '#if defined(__SSE__)',
      'for (long from = 0; from < n; from += 16) {',
      'alignas(64) float line[16];',
      ...loop('from', 'from + 16', (i) => (i === param ? 'line[i - from]' : `y${i}[i]`)),
      `for (int j = 0; j < 16; j += 4) _mm_stream_ps(y${param} + from + j, _mm_load_ps(line + j));`,
      '}',
      '_mm_sfence();',
      '#else',
      ...whole,
      '#endif',
    ]),
    '',
  ].join('\n');
}
