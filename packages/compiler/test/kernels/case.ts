// What all lists of kernel cases share.

export interface KernelCase {
  name: string;
  /** Throws with what differs. */
  run: () => void;
}

/** Throws unless every element is the same, signs of zeros included. */
export function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} instead of ${expected.length}`);
  let failing = 0;
  let first = '';
  for (let index = 0; index < expected.length; index++) {
    if (Object.is(actual[index], expected[index])) continue;
    if (failing++ === 0) first = `at ${index} ${actual[index]} instead of ${expected[index]}`;
  }
  if (failing > 0) throw new Error(`${what}: ${failing} of ${expected.length} differ, first ${first}`);
}
