import process from 'node:process';
import { runCli } from './cli.ts';
import { createTerminal } from './terminal/terminal.ts';

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second Ctrl+C is for whoever does not want to wait for the cleaning up.
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error('Interrupted.'));
  });
}
// A reader that closes the pipe early (`| head`) has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), {
  terminal: createTerminal(process),
  signal: controller.signal,
});
