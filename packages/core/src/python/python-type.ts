const pythons: Record<string, string> = {
  String: 'str',
  Boolean: 'bool',
  Array: 'list',
  Object: 'dict',
  Function: 'function',
};

/** Python's name of a value's type, for torch's messages: `NoneType`, `int`, `list`, else the name of its class. */
export function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  const name: string = Object.getPrototypeOf(value)?.constructor?.name ?? 'Object';
  return pythons[name] ?? name;
}
