import { SMALLEST_SCALE, unclippedScale, type WeightRange } from './choose-scale.ts';
import type { IntegerGrid } from '../grids/integer-grid.ts';
import { PANEL_SPANS, TRIALS } from './kernels/span-kernels.ts';
import type { ErrorTally } from '../grids/quantization-error.ts';
import type { SpanPanel } from './span-panel.ts';

/** One step of the search for a smaller scale, and how many steps without gain end it. */
const SEARCH_STEP = 0.97;
const SEARCH_PATIENCE = 2;

/**
 * Quantizes the first `scales.length` spans of a loaded panel: fills in the float32 scale of each (1 for one whose
 * numbers are all zero), leaves the integers to be stored, and counts what is lost.
 */
export function quantizePanel(
  panel: SpanPanel,
  grid: IntegerGrid,
  range: WeightRange,
  scales: Float32Array,
  tally: ErrorTally,
): void {
  panel.measureExtents();
  const searches: ScaleSearch[] = [];
  for (let span = 0; span < scales.length; span++) {
    const full = unclippedScale(panel.lows[span]!, panel.highs[span]!, grid);
    scales[span] = full < SMALLEST_SCALE ? 1 : full;
    if (range === 'mse' && full >= SMALLEST_SCALE) searches.push(new ScaleSearch(span, full));
  }
  searchScales(panel, searches);
  for (const { span, best } of searches) scales[span] = best;
  for (let span = 0; span < scales.length; span++) panel.inverses[span] = 1 / scales[span]!;
  panel.round();
  for (let span = 0; span < scales.length; span++) count(panel, span, scales[span]!, tally);
}

/** Tries smaller and smaller scales, as many as one pass takes at a time, until every search has ended. */
function searchScales(panel: SpanPanel, searches: readonly ScaleSearch[]): void {
  let open = searches;
  while (open.length > 0) {
    for (const search of open) search.propose(panel.inverses);
    for (const pair of new Set(open.map(({ span }) => span >> 1))) panel.sumErrors(pair);
    for (const search of open) search.judge(panel.sums);
    open = open.filter(({ done }) => !done);
  }
}

/** The search for the scale of one span with the least squared error: each scale is 3 % less than the last. */
class ScaleSearch {
  readonly span: number;
  best: number;
  done = false;
  #least = Infinity;
  #next: number;
  #failures = 0;

  constructor(span: number, full: number) {
    this.span = span;
    this.best = full;
    this.#next = full;
  }

  propose(inverses: Float64Array): void {
    let scale = this.#next;
    for (let trial = 0; trial < TRIALS; trial++, scale *= SEARCH_STEP)
      inverses[trial * PANEL_SPANS + this.span] = 1 / scale;
  }

  judge(sums: Float64Array): void {
    for (let trial = 0; trial < TRIALS && !this.done; trial++, this.#next *= SEARCH_STEP) {
      const scale = this.#next;
      const error = sums[trial * PANEL_SPANS + this.span]! * scale * scale;
      if (error < this.#least) {
        this.#least = error;
        this.best = scale;
        this.#failures = 0;
      } else this.#failures++;
      this.done = this.#failures === SEARCH_PATIENCE;
    }
  }
}

function count(
  { signal, noise, clipped, length }: SpanPanel,
  span: number,
  scale: number,
  tally: ErrorTally,
): void {
  const square = scale * scale;
  tally.signal += signal[span]! * square;
  tally.noise += noise[span]! * square;
  tally.clipped += clipped[2 * span]!;
  tally.count += length;
}
