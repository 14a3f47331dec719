import { CompilerError, type Diagnostic } from '../../diagnostics/index.ts';
import type { Model, Node, Tensor } from '../../ir/index.ts';
import { GraphIndex } from '../../rewrite/index.ts';
import type { ActivationRunner, Sample, Samples } from '../statistics/calibrate.ts';
import { layerName } from '../conv-nets/conv-net-plan.ts';
import { explainNoise, findCause, type Break, type Cause } from './explain-break.ts';
import { followedOutputs } from './followed-outputs.ts';
import { pairValues, type FollowedValue } from './followed-value.ts';

export interface FollowFloatOptions {
  /** The compact graph that the candidate was made of, and a runner for it. */
  readonly float: Model;
  readonly runFloat: ActivationRunner;
  /** What `quantizeConvNet` made, perhaps changed since, and a runner for it that hands over 8-bit values as they are. */
  readonly candidate: Model;
  readonly runCandidate: ActivationRunner;
  /** A few inputs like those that the model will see. */
  readonly samples: Samples;
  /** An output below this signal-to-noise ratio does not follow the float model's, dB. Default 6: noise of half the signal's amplitude. */
  readonly leastDb?: number;
}

export interface FollowReport {
  /** Whether all outputs follow. */
  readonly follows: boolean;
  /** Inputs, layers and outputs in the order in which they are computed. */
  readonly values: readonly FollowedValue[];
  /** For a candidate that does not follow: where it broke and the likely cause. */
  readonly diagnostics: readonly Diagnostic[];
}

const LEAST_DB = 6;

/**
 * Notices a quantized candidate whose outputs no longer follow the float model's, with the layer where that begins and the likely cause:
 * weights that are not the layer's, a range from other data, 8 bits that are too coarse. Of outputs that are places (ArgMax, NonMaxSuppression) it
 * looks at what they are found in.
 *
 * ```ts
 * const { follows, diagnostics } = await followFloat({ float, runFloat, candidate, runCandidate, samples });
 * ```
 * @throws CompilerError `bad-option` without samples or when a runner does not hand over a value.
 */
export async function followFloat(options: FollowFloatOptions): Promise<FollowReport> {
  const { float, candidate, samples, leastDb = LEAST_DB } = options;
  const index = new GraphIndex(float.graph);
  const pairs = pairValues(float, candidate);
  let count = 0;
  for await (const sample of samples) {
    const expected = await collect(
      options.runFloat,
      sample,
      pairs.map(({ value }) => value),
    );
    const actual = await collect(
      options.runCandidate,
      sample,
      pairs.map(({ source }) => source),
    );
    for (const pair of pairs)
      pair.tally.add(expected.get(pair.value)!, pair.restore(actual.get(pair.source)!));
    count++;
  }
  if (count === 0) throw new CompilerError('bad-option', 'followFloat needs at least one sample');
  const values = pairs.map(({ value, tally }) => ({
    value,
    layer: nameOf(index.producer(value)),
    ...tally.result(),
  }));
  const { ends } = followedOutputs(float);
  const lost = values.filter((followed) => ends.has(followed.value) && !isFollowing(followed, leastDb));
  if (lost.length === 0) return { follows: true, values, diagnostics: [] };
  const candidateIndex = new GraphIndex(candidate.graph);
  const falls = fallsOf(values, index).map((fall, i) => ({
    ...fall,
    float: index,
    candidate: candidateIndex,
    pair: pairs[i]!,
  }));
  const { broken, cause } = findBreak(falls, leastDb);
  const names = lost.map(({ value }) => `'${value}'`).join(', ');
  return {
    follows: false,
    values,
    diagnostics: [
      {
        severity: 'error',
        code: 'candidate-broken',
        message: `the outputs ${names} no longer follow the float model: ${cause.message}`,
        at: { value: broken.value, ...(broken.layer !== undefined && { node: broken.layer }) },
        hint: cause.hint,
      },
    ],
  };
}

async function collect(
  run: ActivationRunner,
  sample: Sample,
  want: readonly string[],
): Promise<Map<string, Tensor>> {
  const found = new Map<string, Tensor>();
  await run(sample, want, (value, tensor) => void found.set(value, tensor));
  for (const value of want)
    if (!found.has(value))
      throw new CompilerError('bad-option', `followFloat: the runner did not hand over '${value}'`);
  return found;
}

function isFollowing({ signalToNoiseDb, isConstant }: FollowedValue, leastDb: number): boolean {
  return !isConstant && signalToNoiseDb >= leastDb;
}

/** More than this is no better: a layer with exact inputs must not look worse than one with good ones. */
const GOOD_DB = 40;

/** A value that falls this much below what it is computed from may be where it broke, dB. */
const LEAST_FALL = 3;

/**
 * The value that falls deepest below what it is computed from and shows why: weights or a range that are wrong. Where nothing shows, the one
 * that falls deepest of those that do not follow.
 */
function findBreak(falls: readonly Break[], leastDb: number): { broken: Break; cause: Cause } {
  const depth = (fall: Break): number => fall.inputDb - qualityOf(fall);
  const deepest = falls.toSorted((a, b) => depth(b) - depth(a));
  for (const broken of deepest) {
    const cause = depth(broken) > LEAST_FALL ? findCause(broken) : undefined;
    if (cause) return { broken, cause };
  }
  const broken = deepest.find((fall) => !isFollowing(fall, leastDb))!;
  return { broken, cause: explainNoise(broken) };
}

function fallsOf(
  values: readonly FollowedValue[],
  index: GraphIndex,
): readonly (FollowedValue & { readonly inputDb: number })[] {
  const known = new Map(values.map((followed) => [followed.value, qualityOf(followed)]));
  return values.map((followed) => ({ ...followed, inputDb: inputQuality(followed.value, index, known) }));
}

/** A number that is not finite or does not change is worth nothing. */
function qualityOf({ signalToNoiseDb, isConstant }: FollowedValue): number {
  return isConstant || Number.isNaN(signalToNoiseDb)
    ? -GOOD_DB
    : Math.max(-GOOD_DB, Math.min(GOOD_DB, signalToNoiseDb));
}

/** The worst of what a value is computed from; values that were not watched are looked through. */
function inputQuality(value: string, index: GraphIndex, known: ReadonlyMap<string, number>): number {
  const inputs = index.producer(value)?.inputs ?? [];
  return Math.min(GOOD_DB, ...inputs.map((input) => known.get(input) ?? inputQuality(input, index, known)));
}

function nameOf(node: Node | undefined): string | undefined {
  return node && layerName(node);
}
