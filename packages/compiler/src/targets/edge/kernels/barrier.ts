import { atomic, i32, i64, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

/** Of the state that a barrier keeps in memory: zero at the start. */
export const BARRIER_BYTES = 8;

const PARAMS = { threads: 'i32' } as const;

/** Looks before a thread goes to sleep: about 50 µs, longer than a block of rows is late as a rule. */
const SPINS = 20000;
const WAKE_ALL = 2 ** 31 - 1;

/**
 * Returns when all threads have called it; nothing happens with one thread, so that memory need not be shared. What a
 * thread wrote before is visible to all afterwards.
 */
export function emitBarrier(
  library: KernelLibrary,
  spec: { address: number },
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('barrier', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { threads }) => {
      const arrived = spec.address;
      const round = spec.address + 4;
      f.if(i32.leS(threads, 1), () => f.return());
      const current = f.let(atomic.load(i32.const(0), round));
      const before = f.let(atomic.add(arrived, 1));
      f.if(i32.eq(i32.add(before, 1), threads), () => {
        f.do(atomic.store(i32.const(0), i32.const(0), arrived));
        f.do(atomic.store(i32.const(0), i32.add(current, 1), round));
        f.drop(atomic.notify(round, WAKE_ALL));
        f.return();
      });
      const spins = f.let(i32.const(SPINS));
      f.loop((again) => {
        f.if(i32.ne(atomic.load(i32.const(0), round), current), () => f.return());
        f.increment(spins, -1);
        f.branchIf(again, spins);
      });
      f.loop((again) => {
        f.drop(atomic.wait32(round, current, i64.const(-1)));
        f.branchIf(again, i32.eq(atomic.load(i32.const(0), round), current));
      });
    }),
  );
}
