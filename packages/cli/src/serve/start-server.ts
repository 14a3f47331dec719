import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sirv from 'sirv';
import { UsageError } from '../command/usage-error.ts';

export interface ServerOptions {
  readonly folder: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Answers what is no file: the body of a URL's path and query; undefined for what it does not know either. */
  readonly answer?: (url: string) => Promise<ServerAnswer | undefined>;
}

export interface ServerAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface RunningServer {
  /** With a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Without these a page is not cross-origin isolated: no SharedArrayBuffer, so no threads. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
} as const;

/** Serves plain files; `.br` and `.gz` siblings are sent instead where the browser accepts them. */
export async function startServer({ folder, port, host, answer }: ServerOptions): Promise<RunningServer> {
  const files = sirv(folder, {
    dev: true,
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders: (response, path) => {
      if (path.endsWith('.weights') || path.endsWith('.onnx'))
        response.setHeader('Content-Type', 'application/octet-stream');
    },
  });
  const server = createServer((request, response) => {
    for (const [name, text] of Object.entries(HEADERS)) response.setHeader(name, text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    files(request, response, () => void answerOthers(request.url ?? '', response, answer));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answerOthers(
  url: string,
  response: ServerResponse,
  answer: ServerOptions['answer'],
): Promise<void> {
  try {
    const found = await answer?.(url);
    if (found) response.writeHead(200, found.headers).end(found.body);
    else response.writeHead(404).end('Not found\n');
  } catch (error) {
    response.writeHead(500).end(`${(error as Error).message}\n`);
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new UsageError(`port ${port} is taken.`, 'Choose another with --port, or --port 0 for any.');
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UsageError(`this machine has no address ${host}.`);
  if (error.code === 'EACCES') return new UsageError(`port ${port} is not allowed to you.`);
  return error;
}
