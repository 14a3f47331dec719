import { describe, expect, it } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

const never = (): Promise<never> => new Promise(() => {});

describe('unlessAborted', () => {
  it('passes on what the promise says', async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  it('does not wait for a promise that never settles', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(never(), controller.signal);
    controller.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(unlessAborted(never(), controller.signal)).rejects.toThrow('stopped');
  });

  it('ignores what a promise does after that', async () => {
    const controller = new AbortController();
    let fail = (_: Error): void => {};
    const waiting = unlessAborted(new Promise<never>((_, reject) => (fail = reject)), controller.signal);
    controller.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    fail(new Error('late')); // an unhandled rejection would fail this file
  });
});
