// A reporter of vitest that writes how many cases each project had, which vitest's own JSON does not tell, and what took long.
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';

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
    const slowest = modules
      .map((module) => ({ module, seconds: Math.round(module.diagnostic().duration / 1000) }))
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, 6)
      .map(({ module, seconds }) => `${basename(module.moduleId)} on ${module.project.name} ${seconds} s`);
    writeFileSync(process.env.TFJS_TORCH_COUNTS, JSON.stringify({ projects, errors: unhandledErrors.length, slowest }));
  }
}
