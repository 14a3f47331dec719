import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, release } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { Machine } from '../../report/optimize-report.ts';

/** What measurements are made on. */
export async function describeMachine(): Promise<Machine> {
  const onnxruntime = await onnxruntimeVersion();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    os: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    ...(onnxruntime === undefined ? {} : { onnxruntime }),
  };
}

/** Version of the onnxruntime-node that is installed, or undefined. */
export async function onnxruntimeVersion(): Promise<string | undefined> {
  try {
    const entry = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
    const { version } = JSON.parse(await readFile(join(dirname(entry), 'package.json'), 'utf8')) as {
      version: string;
    };
    return version;
  } catch {
    return undefined;
  }
}
