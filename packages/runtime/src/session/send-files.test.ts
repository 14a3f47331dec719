import { describe, expect, it } from 'vitest';
import type { PackageReader } from '../package/package-reader.ts';
import { fileInbox, type FileInbox } from './file-inbox.ts';
import { sendFiles } from './send-files.ts';
import type { ToWorker } from './worker-protocol.ts';

const MEBIBYTE = 1 << 20;

/** A package of files that are given chunk by chunk. */
function readerOf(files: Readonly<Record<string, readonly Uint8Array[]>>): PackageReader {
  return {
    // oxlint-disable-next-line typescript/require-await -- an async generator is what `open` returns
    async *open(name, signal) {
      for (const chunk of files[name] ?? []) {
        signal?.throwIfAborted();
        yield chunk;
      }
    },
  };
}

/** Messages as a worker gets them: clones, later. */
function deliverTo(inbox: FileInbox): (message: ToWorker) => void {
  return (message) => {
    const copy = structuredClone(message);
    if (copy.kind === 'file') setTimeout(() => inbox.put(copy.file, copy.bytes));
  };
}

async function collect(reader: PackageReader, file: string, signal?: AbortSignal): Promise<number[]> {
  const lengths: number[] = [];
  for await (const bytes of reader.open(file, signal)) lengths.push(bytes.length);
  return lengths;
}

describe('sendFiles and fileInbox', () => {
  it('bring files in order, whether they are read before they come or after', async () => {
    const reader = readerOf({ a: [new Uint8Array(3), new Uint8Array(1)], b: [new Uint8Array(2)], empty: [] });
    const inbox = fileInbox();
    const early = collect(inbox, 'a');
    const receiver = { post: deliverTo(inbox), started: Promise.resolve() };
    await sendFiles(reader, ['a', 'b', 'empty'], receiver, undefined);
    expect(await early).toEqual([3, 1]);
    expect(await collect(inbox, 'b')).toEqual([2]);
    expect(await collect(inbox, 'empty')).toEqual([]);
  });

  it('keep no more than 4 MiB of a file for a worker that has not started', async () => {
    const reader = readerOf({ weights: Array.from({ length: 8 }, () => new Uint8Array(MEBIBYTE)) });
    const posted: ToWorker[] = [];
    let start = (): void => {};
    const started = new Promise<void>((resolve) => (start = resolve));
    const sending = sendFiles(reader, ['weights'], { post: (message) => posted.push(message), started }, undefined);
    await new Promise((resolve) => setTimeout(resolve));
    expect(posted).toHaveLength(4);
    start();
    await sending;
    expect(posted).toHaveLength(9);
  }); // prettier-ignore

  it('end at the signal: one who waits for bytes gets its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const inbox = fileInbox();
    const waiting = collect(inbox, 'a', controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const reader = readerOf({ a: [new Uint8Array(1)] });
    const receiver = { post: deliverTo(inbox), started: Promise.resolve() };
    await expect(sendFiles(reader, ['a'], receiver, controller.signal)).rejects.toBe(reason);
  });
});
