export interface Fewest {
  /** Undefined when it held for none that was tried. */
  readonly fewest: number | undefined;
  /** In the order of the attempts. */
  readonly tried: readonly number[];
}

/**
 * The smallest number for which something holds, between none and all of `all`, which are not tried: by halving, as if it held for every
 * number above the smallest.
 */
export async function findFewest(all: number, holds: (count: number) => Promise<boolean>): Promise<Fewest> {
  const tried: number[] = [];
  let [tooFew, enough] = [0, all];
  while (enough - tooFew > 1) {
    const count = (tooFew + enough) >> 1;
    tried.push(count);
    if (await holds(count)) enough = count;
    else tooFew = count;
  }
  return { fewest: enough < all ? enough : undefined, tried };
}
