import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What a number needs beside it to mean something later.
 * @param {Readonly<Record<string, string>>} versions
 */
export function describeMachine(versions) {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cpuFlags: integerDotFlags(),
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    date: new Date().toISOString(),
    commit: commit(),
    loadAverage: os.loadavg().map((load) => Number(load.toFixed(2))),
    versions: { node: process.versions.node, ...packageVersions(), ...versions },
  };
}

/**
 * The flags that decide which int8 kernels a browser or onnxruntime can use. V8's one-instruction form needs avx_vnni;
 * onnxruntime's native kernels also use avx512_vnni.
 */
function integerDotFlags() {
  if (!existsSync('/proc/cpuinfo')) return [];
  const flags =
    /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  return ['avx2', 'avx512_vnni', 'avx_vnni', 'asimddp', 'i8mm'].filter((flag) => flags.includes(flag));
}

function commit() {
  try {
    const git = (/** @type {string[]} */ ...args) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'packages') ? '-dirty' : '')
    );
  } catch {
    return 'unknown';
  }
}

function packageVersions() {
  const packages = {
    'onnxruntime-web': 'benchmarks/node_modules/onnxruntime-web',
    '@litertjs/core': 'benchmarks/node_modules/@litertjs/core',
    '@huggingface/transformers': 'benchmarks/node_modules/@huggingface/transformers',
    'onnxruntime-node': 'node_modules/onnxruntime-node',
    '@edgewise/runtime': 'packages/runtime',
  };
  return Object.fromEntries(
    Object.entries(packages).flatMap(([name, folder]) => {
      const file = join(root, folder, 'package.json');
      return existsSync(file) ? [[name, JSON.parse(readFileSync(file, 'utf8')).version]] : [];
    }),
  );
}
