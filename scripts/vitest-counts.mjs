// A reporter of vitest that writes how many cases each project had, which vitest's own JSON does not tell.
import { writeFileSync } from 'node:fs';

export default class {
  onTestRunEnd(modules, unhandledErrors) {
    const projects = {};
    for (const module of modules) {
      projects[module.project.name] ??= { passed: 0, failed: 0, skipped: 0, broken: [] };
      const counts = projects[module.project.name];
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      // A file that does not load, or a hook that fails: no case of it needs to have failed.
      if (!module.ok() && ![...module.children.allTests('failed')].length) counts.broken.push(module.moduleId);
    }
    writeFileSync(process.env.TFJS_TORCH_COUNTS, JSON.stringify({ projects, errors: unhandledErrors.length }));
  }
}
