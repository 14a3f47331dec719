import { spawn } from 'node:child_process';

/**
 * Runs a program to its end.
 * @param {string} command @param {readonly string[]} args
 * @returns {Promise<{ seconds: number, stdout: string }>} time from start to end, as its caller sees it
 */
export async function runToEnd(command, args) {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}`);
  return { seconds, stdout };
}
