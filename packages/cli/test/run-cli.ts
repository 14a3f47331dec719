import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { repoRoot } from '@edgewise/test-utils';

const BINARY = join(repoRoot, 'packages', 'cli', 'bin', 'edgewise.js');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams;
  readonly result: Promise<CliResult>;
}

/** Starts the built command in the repository's root. stdout and stderr are pipes, not terminals. */
export function startCli(args: readonly string[], env: Record<string, string> = {}): RunningCli {
  if (!existsSync(join(repoRoot, 'packages', 'cli', 'dist', 'main.js')))
    throw new Error("the CLI is not built: run 'npm run build'");
  const child = spawn(process.execPath, [BINARY, ...args], {
    cwd: repoRoot,
    env: { ...process.env, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const result = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, ...output }));
  });
  return { child, result };
}

export async function runCli(...args: readonly string[]): Promise<CliResult> {
  const { child, result } = startCli(args);
  child.stdin.end();
  return result;
}
