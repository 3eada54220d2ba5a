/** Of what kind an option's value is, where its default does not say: `null` alone means a flag that is true, false or null. */
export type Kind = 'number' | 'boolean' | 'flag' | 'tuple' | 'number or null' | 'string or null';

/** What torch's constructor says of an optimizer; `H`: the options of a param group, with every tensor read. */
export interface Declaration<H extends object = object> {
  readonly name: string;
  /** Torch's defaults, in the order in which torch keeps them in a param group. */
  readonly defaults: Readonly<H>;
  /** The options that may be given by position, in torch's order; the others are keyword-only. */
  readonly positional: readonly string[];
  readonly kinds?: Partial<Record<keyof H, Kind>>;
  /** Options whose default is a whole number that torch writes as a float, which `toString` shows. */
  readonly floats?: readonly string[];
  /** Whether the state counts the parameter's updates in `step`. */
  readonly counted: boolean;
  /** What torch gives a param group of an older checkpoint that lacks the key. */
  readonly older: Partial<H>;
  /** What no argument of the constructor changes and every load restores. */
  readonly forced?: Partial<H>;
  /** Throws torch's error for a value that torch's constructor refuses. `given`: the same options, tensors not read. */
  check(h: H, given: Readonly<Record<keyof H, unknown>>): void;
  /**
   * How a sparse gradient is applied: to the rows that it names, the others being left as they are, or as the dense one that
   * it stands for. Throws torch's error where it is refused; without this it always is.
   */
  sparse?(h: H): 'rows' | 'dense';
  /** Throws torch's error for a gradient that is not sparse. */
  dense?(): never;
  /** Options whose default depends on the others. */
  derived?(h: H): Partial<H>;
}
