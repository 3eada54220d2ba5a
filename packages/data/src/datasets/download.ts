import { RuntimeError } from '@tfjs-torch/core';
import { node } from './files';

export interface DownloadOptions {
  /** Fetch what `root` lacks. Default false. */
  download?: boolean;
  /**
   * Where `download` fetches from, in the place of the dataset's own pages: an address with a folder for each dataset, such as
   * `MNIST`. Default: the environment's TFJS_TORCH_MIRROR.
   */
  mirror?: string | null;
}

interface Resource {
  /** The dataset's name, a folder of a mirror. */
  dataset: string;
  name: string;
  md5: string;
  /** Where the dataset's authors keep the file. */
  urls: readonly string[];
}

export const chosenMirror = (mirror: string | null): string | null => mirror ?? process.env.TFJS_TORCH_MIRROR ?? null;

/**
 * Fetches a file to `folder` if its md5 is right, with a progress bar. It waits for another process: constructors are
 * synchronous, and fetch is not.
 *
 * @throws RuntimeError: what failed, and what to put where
 */
export function download({ dataset, name, md5, urls }: Resource, folder: string, mirror: string | null): void {
  const { child_process, fs, module, path } = node();
  const base = chosenMirror(mirror);
  const sources = base === null ? urls : [`${base.replace(/\/$/, '')}/${dataset}/${name}`];
  fs.mkdirSync(folder, { recursive: true });
  const program = module.createRequire(import.meta.url).resolve('@tfjs-torch/data/download');
  const job = JSON.stringify({ urls: sources, file: path.join(folder, name), md5 });
  const { status, stdout, error } = child_process.spawnSync(process.execPath, [program, job], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) return;
  throw new RuntimeError(
    `Error downloading ${name}\n${error?.message ?? stdout.trimEnd()}\n` +
      `Put it (md5 ${md5}) into ${folder}, or name a mirror that has ${dataset}/${name}: the option mirror, or the ` +
      "environment's TFJS_TORCH_MIRROR.",
  );
}
