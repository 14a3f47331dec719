import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpReader } from './http-reader.ts';

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of chunks) length += chunk.length;
  return length;
}

describe('httpReader', () => {
  let server: Server;
  let origin: string;
  const closed: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      response.on('close', () => closed.push(request.url ?? ''));
      switch (request.url) {
        case '/a/whole':
          return void response.end(new Uint8Array(100_000));
        case '/a/cut':
          response.writeHead(200, { 'content-length': 100_000 }).write(new Uint8Array(1000));
          return void setTimeout(() => response.destroy(), 20);
        case '/a/slow':
          return void response.writeHead(200, { 'content-length': 10 }).write('1');
        default:
          return void response.writeHead(500).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('reads beside the folder, whatever its spelling', async () => {
    for (const folder of ['/a', '/a/', '/a?version=1', '/a/#top', '/b/../a']) {
      const reader = httpReader(new URL(folder, origin));
      expect(reader.source).toBe(`${origin}/a/`);
      expect(await collect(reader.open('whole'))).toBe(100_000);
    }
  });

  it('names the file when the server fails or the connection breaks', async () => {
    const reader = httpReader(new URL('/a', origin));
    await expect(collect(reader.open('other'))).rejects.toMatchObject({
      code: 'load-failed',
      file: 'other',
      message: `cannot load other from ${origin}/a/other: HTTP status 500`,
    });
    await expect(collect(reader.open('cut'))).rejects.toMatchObject({ code: 'load-failed', file: 'cut' });
  });

  it('stops in the middle: at the signal, or when the reader has enough', async () => {
    const reader = httpReader(new URL('/a', origin));
    const reason = new Error('enough');
    const controller = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _ of reader.open('slow', controller.signal)) controller.abort(reason);
    };
    await expect(reading()).rejects.toBe(reason);
    for await (const chunk of reader.open('slow')) {
      expect(chunk.length).toBe(1);
      break;
    }
    await expect.poll(() => closed.filter((url) => url === '/a/slow').length, { timeout: 10_000 }).toBe(2);
  });
});
