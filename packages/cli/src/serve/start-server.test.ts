import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type RunningServer } from './start-server.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

const SCRIPT = 'export const x = 1;\n'.repeat(100);

let folder = '';
let server: RunningServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-serve-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'a.js'), SCRIPT);
  writeFileSync(join(folder, 'a.js.br'), brotliCompressSync(SCRIPT));
  writeFileSync(join(folder, 'a.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(folder, 'model.weights'), Buffer.alloc(10));
  server = await startServer({ folder, port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Not fetch: it unpacks answers and tidies paths. */
function get(path: string, encoding = 'identity', method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const options = { hostname, port, path, method, headers: { 'Accept-Encoding': encoding } };
    request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    })
      .once('error', reject)
      .end();
  });
}

describe('startServer', () => {
  it.each([
    ['identity', undefined, SCRIPT.length],
    ['gzip', 'gzip', gzipSync(SCRIPT).length],
    ['gzip, br', 'br', brotliCompressSync(SCRIPT).length],
  ])('Accept-Encoding %s: %s', async (accepted, sent, length) => {
    const { status, headers, body } = await get('/a.js', accepted);
    expect([status, headers['content-encoding'], body.length]).toEqual([200, sent, length]);
    expect(headers['content-type']).toBe('text/javascript');
  });

  it('isolates pages and names types', async () => {
    expect((await get('/')).headers).toMatchObject({
      'content-type': 'text/html;charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'x-content-type-options': 'nosniff',
    });
    expect((await get('/model.weights')).headers['content-type']).toBe('application/octet-stream');
  });

  it.each(['/none', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd'])(
    '%s: 404',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  it('only reads', async () => {
    expect((await get('/a.js', 'identity', 'PUT')).status).toBe(405);
    const head = await get('/a.js', 'identity', 'HEAD');
    expect([head.status, head.body.length]).toEqual([200, 0]);
  });

  it('says when the port is taken', async () => {
    const port = Number(new URL(server.url).port);
    await expect(startServer({ folder, port, host: '127.0.0.1' })).rejects.toThrow(`port ${port} is taken.`);
  });
});
