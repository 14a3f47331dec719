import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sirv from 'sirv';

export interface StaticServerOptions {
  /** Folder to serve, or several by URL prefix: `{ '/': page, '/runtime': dist }`. The longest prefix wins. */
  root: string | Readonly<Record<string, string>>;
  /** Sends COOP and COEP, so that the page is cross-origin isolated and has SharedArrayBuffer. Default false. */
  isolated?: boolean;
}

export interface StaticServer extends AsyncDisposable {
  /** For example `http://127.0.0.1:40123`, without a slash at the end. */
  readonly origin: string;
  /** Paths asked for so far, in order: what a page requests is part of its contract. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Serves plain files on a free local port, uncached. */
export async function serveStatic(options: StaticServerOptions): Promise<StaticServer> {
  const roots = typeof options.root === 'string' ? { '/': options.root } : options.root;
  const mounts = Object.entries(roots)
    .map(([prefix, folder]) => ({
      prefix: prefix.replace(/\/$/, ''),
      handle: sirv(folder, { dev: true, etag: true }),
    }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    requests.push(url);
    if (options.isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    const notFound = (): void => void response.writeHead(404).end();
    const mount = mounts.find(({ prefix }) => url === prefix || url.startsWith(`${prefix}/`));
    if (!mount) return notFound();
    request.url = url.slice(mount.prefix.length) || '/';
    mount.handle(request, response, notFound);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, requests, close, [Symbol.asyncDispose]: close };
}
