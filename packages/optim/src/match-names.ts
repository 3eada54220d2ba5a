import { ValueError } from '@tfjs-torch/core/base';
import type { StateDict } from './optimizer';
import type { ParamGroup } from './param-groups';

/** What keeps a state dict from fitting, by kind. */
type Misfits = Record<'missing' | 'unexpected' | 'mismatched', string[]>;

export function refuse(misfits: Misfits): never {
  const lines = Object.entries(misfits).map(([kind, names]) => `\n  ${kind}: ${names.join(', ')}`);
  const filled = lines.filter((_, i) => Object.values(misfits)[i]!.length > 0);
  throw new ValueError(
    `load_state_dict: the state dict does not fit the optimizer, matched by names:${filled.join('')}`,
  );
}

/**
 * The groups of a state dict in the order of the optimizer's own, their parameters too: matched by name.
 * @throws ValueError that lists what is missing, unexpected, or in a group with others
 */
export function matchNames(saved: StateDict['param_groups'], own: readonly ParamGroup[]): StateDict['param_groups'] {
  const whole = (groups: readonly Record<string, unknown>[]) =>
    groups.every(({ param_names, params }) => (param_names as [] | undefined)?.length === (params as []).length);
  if (!whole(own) || !whole(saved)) {
    throw new ValueError(
      `load_state_dict: match: 'names' needs names, and ${whole(own) ? 'the state dict' : 'the optimizer'} has none; ` +
        'give an optimizer model.named_parameters()',
    );
  }
  const namesOf = (groups: readonly Record<string, unknown>[]) =>
    groups.flatMap(({ param_names }) => param_names as string[]);
  for (const names of [namesOf(own), namesOf(saved)]) {
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined)
      throw new ValueError(`load_state_dict: match: 'names' needs each name once, but '${twice}' is there twice`);
  }
  const places = new Map<string, { group: number; id: unknown }>();
  saved.forEach(({ param_names, params }, group) => {
    (param_names as string[]).forEach((name, i) => {
      places.set(name, { group, id: (params as unknown[])[i] });
    });
  });
  const mine = namesOf(own);
  const misfits: Misfits = {
    missing: mine.filter((name) => !places.has(name)),
    unexpected: [...places.keys()].filter((name) => !mine.includes(name)),
    mismatched: [],
  };
  const matched = own.map(({ param_names }, i) => {
    const found = param_names!.filter((name) => places.has(name));
    // An empty group has no name to be found by: its place counts.
    const from = places.get(found[0] ?? '')?.group ?? i;
    for (const name of found) {
      if (places.get(name)!.group !== from) misfits.mismatched.push(`${name} (not in one group with ${found[0]})`);
    }
    return { ...saved[from], params: param_names!.map((name) => places.get(name)?.id), param_names: [...param_names!] };
  });
  if (Object.values(misfits).some((names) => names.length > 0)) refuse(misfits);
  return matched;
}
