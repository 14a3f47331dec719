import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { value, type OptionTable } from '../command/option.ts';
import { plainText, wholeNumber } from '../command/units.ts';
import { UsageError } from '../command/usage-error.ts';
import { startServer } from '../serve/start-server.ts';

interface ServeOptions extends CommonOptions {
  readonly port: number;
  readonly host: string;
}

const options: OptionTable<ServeOptions> = {
  ...COMMON_OPTIONS,
  port: {
    ...value('number', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535)),
    default: 8080,
  },
  host: {
    ...value('name', 'address to listen on; only this machine by default', plainText),
    default: '127.0.0.1',
  },
};

export const serve: Command<ServeOptions> = {
  name: 'serve',
  summary: 'Serves a folder over HTTP, isolated, so that the page may use threads.',
  details: 'For trying a package on this machine. Ctrl+C stops it.',
  example: 'serve dist/sentiment-web',
  arguments: [{ name: 'folder', description: 'what optimize wrote' }],
  options,
  run: async ([folder = ''], { port, host, json }, { terminal, signal }) => {
    if (!existsSync(folder) || !statSync(folder).isDirectory())
      throw new UsageError(`${folder} is not a folder.`, "'edgewise optimize --target web' writes one.");
    const server = await startServer({ folder, port, host });
    if (json) terminal.data(`${JSON.stringify({ url: server.url, folder })}\n`);
    else terminal.message(`${terminal.messageColors.bold(server.url)} serves ${folder}. Ctrl+C stops it.\n`);
    if (!existsSync(join(folder, 'index.html'))) terminal.message('There is no index.html in it.\n');
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.close();
    if (!json) terminal.message('\nStopped.\n');
    return 0;
  },
};
