import type { Diagnostic } from '../diagnostics/index.ts';
import type { Model } from '../ir/index.ts';
import { runPasses } from '../rewrite/index.ts';
import type { ActivationRange } from './activation-range.ts';
import { quantizeConvNet, type QuantizeConvNetOptions } from './quantize-conv-net.ts';

export interface ConvNetChoice {
  readonly model: Model;
  readonly diagnostics: readonly Diagnostic[];
  readonly activationRange: ActivationRange;
  /** What `agreementOf` said of each range. */
  readonly agreement: ReadonlyMap<ActivationRange, number>;
}

/** In the order in which equals are preferred. */
const RANGES: readonly ActivationRange[] = ['mse', 'percentile', 'minmax'];

/**
 * Quantizes with each way to find ranges and keeps the candidate that agrees best with the float model. No way is best for all
 * networks: where rare large numbers decide (a detector's few objects among thousands of anchors) clipping them is dear, elsewhere
 * it buys finer steps.
 *
 * ```ts
 * const { model } = await chooseConvNet(float, { statistics }, async (candidate) => boxAgreement(floatBoxes, await detect(candidate)));
 * ```
 * @param agreementOf how well a candidate agrees with the float model, higher is better; on samples that the statistics are not of,
 * which would favour the range that clips none of them. Labels are not needed.
 */
export async function chooseConvNet(
  float: Model,
  options: Omit<QuantizeConvNetOptions, 'activationRange'>,
  agreementOf: (candidate: Model) => Promise<number>,
): Promise<ConvNetChoice> {
  const agreement = new Map<ActivationRange, number>();
  let best: Omit<ConvNetChoice, 'agreement'> | undefined;
  for (const activationRange of RANGES) {
    const { model, diagnostics } = await runPasses(float, [quantizeConvNet({ ...options, activationRange })]);
    const value = await agreementOf(model);
    agreement.set(activationRange, value);
    if (best === undefined || value > agreement.get(best.activationRange)!)
      best = { model, diagnostics, activationRange };
  }
  return { ...best!, agreement };
}
