export interface Fewest {
  /** Undefined when it held for none that was tried. */
  readonly fewest: number | undefined;
  /** In the order of the attempts. */
  readonly tried: readonly number[];
}

/**
 * The smallest number for which something holds, between none and all of `all`, which are not tried. First 1, 2, 4, … until it holds, then by
 * halving what lies below: what does not hold for every number above the smallest is still found with few.
 */
export async function findFewest(all: number, holds: (count: number) => Promise<boolean>): Promise<Fewest> {
  const tried: number[] = [];
  let [tooFew, enough] = [0, all];
  while (enough - tooFew > 1) {
    const doubled = Math.max(1, 2 * tooFew);
    const count = enough === all && doubled < all ? doubled : (tooFew + enough) >> 1;
    tried.push(count);
    if (await holds(count)) enough = count;
    else tooFew = count;
  }
  return { fewest: enough < all ? enough : undefined, tried };
}
