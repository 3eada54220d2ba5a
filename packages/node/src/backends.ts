import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, registerMissingKernels, ValueError } from '@tfjs-torch/core';
import { registerExecutor } from '@tfjs-torch/optim';
import { loadTensorflow, loadTensorflowGpu } from './binding';
import { native } from './native';
import { findPackage, packageVersion, reasonOf, Unavailable } from './tfjs-node';

registerExecutor(native);

export type BackendName = 'tensorflow-gpu' | 'tensorflow' | 'wasm' | 'cpu';

export interface BackendFinding {
  backend: BackendName;
  available: boolean;
  /** Where it was found, or why it cannot be used. */
  detail: string;
  /** How to get it, where it is not available. */
  remedy?: string;
}

export interface BackendReport {
  backend: BackendName;
  why: string;
  /** One row for each backend that was looked at, the fastest first. */
  found: BackendFinding[];
}

interface Backend {
  package: string;
  /** The name under which tfjs registers it. */
  registered: string;
  /** Loads it, returns what was found; throws `Unavailable`. */
  load(): Promise<string>;
}

// The fastest first.
const backends: Record<BackendName, Backend> = {
  'tensorflow-gpu': {
    package: '@tensorflow/tfjs-node-gpu',
    registered: 'tensorflow',
    load: async () => loadTensorflowGpu(),
  },
  tensorflow: {
    package: '@tensorflow/tfjs-node',
    registered: 'tensorflow',
    load: async () => loadTensorflow(),
  },
  wasm: {
    package: '@tensorflow/tfjs-backend-wasm',
    registered: 'wasm',
    load: async () => `tfjs-backend-wasm ${(await import('@tensorflow/tfjs-backend-wasm')).version_wasm}`,
  },
  cpu: {
    package: '@tensorflow/tfjs-backend-cpu',
    registered: 'cpu',
    load: async () => `tfjs-backend-cpu ${(await import('@tensorflow/tfjs-backend-cpu')).version_cpu}`,
  },
};
const names = Object.keys(backends) as BackendName[];

/**
 * Loads the fastest backend of tfjs that works here, or the one asked for (`backend`, else the environment variable
 * TFJS_TORCH_BACKEND), makes it tfjs's current one and registers the kernels that it lacks for training.
 * A backend that is asked for and cannot be used is an error; otherwise the next one is taken, with a line on stderr.
 */
export async function initBackend(options: { backend?: string; quiet?: boolean } = {}): Promise<BackendReport> {
  const asked = options.backend ?? (process.env.TFJS_TORCH_BACKEND || undefined);
  if (asked !== undefined && !names.includes(asked as BackendName)) {
    throw new ValueError(`Unknown backend '${asked}': expected one of ${names.join(', ')}`);
  }
  const found: BackendFinding[] = [];
  for (const backend of asked === undefined ? names : [asked as BackendName]) {
    try {
      found.push({ backend, available: true, detail: await activate(backends[backend]) });
    } catch (error) {
      const remedy = error instanceof Unavailable ? error.remedy : undefined;
      const reason = error instanceof Unavailable ? error.reason : reasonOf(error);
      if (asked !== undefined) {
        throw new RuntimeError(`Backend '${backend}' cannot be used: ${reason}${remedy ? `. ${remedy}` : ''}`, {
          cause: error,
        });
      }
      found.push({ backend, available: false, detail: reason, remedy });
      continue;
    }
    const why = asked === undefined ? fastest(backend, found) : askedBy(options.backend);
    const lost = found.find((finding) => finding.backend === 'tensorflow' && !finding.available);
    if (lost && !options.quiet) {
      process.stderr.write(`tfjs-torch: using ${backend}, because ${lost.detail}. ${lost.remedy ?? ''}\n`);
    }
    return { backend, why, found: [...found, ...rest(backend)] };
  }
  throw new RuntimeError(`No backend of tfjs can be used: ${found.map((f) => `${f.backend}: ${f.detail}`).join('; ')}`);
}

async function activate(backend: Backend): Promise<string> {
  const detail = await backend.load();
  const removeNewHandlers = watchErrorHandlers();
  if (!(await tf.setBackend(backend.registered))) throw new Error(`tfjs could not start '${backend.registered}'`);
  await tf.ready();
  removeNewHandlers();
  registerMissingKernels();
  // Its first use prints a banner that sends people to tfjs-node.
  const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null;
  if (cpu) cpu.firstUse = false;
  return detail;
}

/** tfjs-backend-wasm rethrows every uncaught error from its own minified file, which Node then prints, all 38 KB of it. */
function watchErrorHandlers() {
  const emitter: NodeJS.EventEmitter = process;
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = new Set(events.flatMap((event) => emitter.listeners(event)));
  return () => {
    for (const event of events) {
      for (const handler of emitter.listeners(event)) {
        if (!before.has(handler)) emitter.removeListener(event, handler as () => void);
      }
    }
  };
}

const askedBy = (option: string | undefined) =>
  option === undefined ? 'asked for by TFJS_TORCH_BACKEND' : 'asked for by the caller';

const fastest = (backend: BackendName, found: BackendFinding[]) =>
  found.length === 1
    ? 'the fastest'
    : `the fastest that can be used: ${found
        .filter((finding) => finding.backend !== backend)
        .map((finding) => `not ${finding.backend} (${finding.detail})`)
        .join(', ')}`;

/** The backends slower than `backend`: only looked up, not loaded. */
const rest = (backend: BackendName): BackendFinding[] =>
  names.slice(names.indexOf(backend) + 1).map((name) => {
    const packageJson = findPackage(backends[name].package);
    return packageJson
      ? { backend: name, available: true, detail: `${backends[name].package} ${packageVersion(packageJson)}` }
      : { backend: name, available: false, detail: `${backends[name].package} is not installed` };
  });
