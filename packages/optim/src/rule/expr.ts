/** What the leaves of an expression stand for: a tensor, a host scalar of this step, a literal. */
type Leaf = 'input' | 'scalar' | 'const';
/** The operations. A new one enters only with a rule of torch's that needs it. */
export type Operation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'gt'
  | 'neg'
  | 'sqrt'
  | 'abs'
  | 'sign'
  | 'where';
export type Operand = Expr | number;

/** An element-wise expression: what an update rule is made of. Immutable, shared freely. */
export class Expr {
  private constructor(
    readonly op: Leaf | Operation,
    readonly args: readonly Expr[],
    /** The name of an input or scalar, the value of a constant. */
    readonly name: string | number,
  ) {}

  static leaf(op: Leaf, name: string | number) {
    return new Expr(op, [], name);
  }
  private static node(op: Operation, ...args: Operand[]) {
    const read = args.map((a) => {
      if (a instanceof Expr) return a;
      if (typeof a !== 'number') throw new TypeError(`Expr.${op}: expected an expression or a number, but got ${a}`);
      return Expr.leaf('const', a);
    });
    return new Expr(op, read, '');
  }

  add(x: Operand) {
    return Expr.node('add', this, x);
  }
  sub(x: Operand) {
    return Expr.node('sub', this, x);
  }
  mul(x: Operand) {
    return Expr.node('mul', this, x);
  }
  div(x: Operand) {
    return Expr.node('div', this, x);
  }
  /** The larger one; NaN where either is, as in torch. */
  max(x: Operand) {
    return Expr.node('max', this, x);
  }
  /** The smaller one; NaN where either is, as in torch. */
  min(x: Operand) {
    return Expr.node('min', this, x);
  }
  /** Whether this is greater: for `where` only. */
  gt(x: Operand) {
    return Expr.node('gt', this, x);
  }
  /** `a` where this condition holds, else `b`. */
  where(a: Operand, b: Operand) {
    return Expr.node('where', this, a, b);
  }
  neg() {
    return Expr.node('neg', this);
  }
  sqrt() {
    return Expr.node('sqrt', this);
  }
  abs() {
    return Expr.node('abs', this);
  }
  /** 1, 0 or −1; 0 for NaN, as in torch. */
  sign() {
    return Expr.node('sign', this);
  }
}

/** How one executor reads the operations; `T` is its value: a tensor, an array, a line of source. */
export type Algebra<T> = Record<Operation, (...args: T[]) => T> & { leaf(op: Leaf, name: string | number): T };

/** Folds expressions with an algebra, each shared node once. */
export function fold<T>(roots: readonly Expr[], algebra: Algebra<T>): T[] {
  const seen = new Map<Expr, T>();
  const visit = (e: Expr): T => {
    if (seen.has(e)) return seen.get(e) as T;
    const value =
      e.op === 'input' || e.op === 'scalar' || e.op === 'const'
        ? algebra.leaf(e.op, e.name)
        : algebra[e.op](...e.args.map(visit));
    seen.set(e, value);
    return value;
  };
  return roots.map(visit);
}
