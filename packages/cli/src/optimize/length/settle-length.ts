import { join } from 'node:path';
import {
  chooseMaxTokens,
  CompilerError,
  curveLengths,
  LENGTH_STEP,
  shareCut,
  type LatencyPoint,
  type MaxTokens,
  type Model,
  type Runner,
} from '@edgewise/compiler';
import type { Budget } from '@edgewise/runtime/format';
import type { LengthReport } from '../../report/optimize-report.ts';
import { formatMs, formatPercent } from '../../terminal/format.ts';
import { candidateBuilder } from '../candidates/candidate-builder.ts';
import { lengthReasons } from './length-reasons.ts';
import { measureCurve } from './measure-curve.ts';
import type { Work } from '../pipelines/pipeline.ts';
import type { Subject, TextLength } from '../subjects/subject.ts';
import { writePackage } from '../candidates/write-package.ts';

export interface SettleLengthOptions extends Work {
  readonly subject: Subject;
  readonly compact: Model;
  readonly runner: Runner<string>;
  readonly budget: Budget;
  /** Empty folder for packages while they are measured. */
  readonly temporary: string;
}

export interface SettledLength {
  /** With inputs of the length that was chosen. */
  readonly subject: Subject;
  /** Undefined for models that take no texts. */
  readonly length?: LengthReport;
}

/** What answers are timed with: the first recipe with 8-bit weights, uncalibrated; values of weights do not change times. */
const TIMED_RECIPE = 'w8a8-dynamic';

/** Times answers by their number of tokens, and settles how long the inputs of a model of texts may be. */
export async function settleLength(options: SettleLengthOptions): Promise<SettledLength> {
  const { subject, budget, progress } = options;
  const { length } = subject;
  if (length === undefined) return { subject };
  progress.stage('time answers by number of tokens');
  const curve = await curveOf(options, length);
  const choice = choose(length, curve, budget);
  const { lengths, modelTokens } = length;
  const isBounded = budget.drop !== undefined;
  const reasons = lengthReasons({ ...choice, isBounded, texts: lengths.length, modelTokens });
  progress.done(
    `at most ${choice.maxTokens} of ${modelTokens}, ${formatPercent(choice.truncated)} of ${lengths.length} texts cut${curveText(curve)}`,
  );
  return {
    subject: length.cutTo(choice.maxTokens),
    length: {
      maxTokens: choice.maxTokens,
      modelTokens,
      texts: lengths.length,
      truncated: choice.truncated,
      truncation: truncationOf(length),
      reasons,
      recipe: TIMED_RECIPE,
      curve,
    },
  };
}

/** Empty, with a warning, for a model that the engine does not run; the search will say so too. */
async function curveOf(
  { subject, compact, runner, temporary, progress, signal }: SettleLengthOptions,
  { textOf }: TextLength,
): Promise<readonly LatencyPoint[]> {
  const { calibrate: _, ...pipeline } = subject.pipeline;
  const recipe = pipeline.recipes.find(({ name }) => name === TIMED_RECIPE);
  const limit = subject.description.tokenizer?.maxLength;
  if (recipe === undefined || limit === undefined) return [];
  const texts = curveLengths(limit).flatMap((tokens): [number, string][] => {
    const text = textOf(tokens);
    return text === undefined ? [] : [[tokens, text]];
  });
  if (texts.length === 0) return [];
  try {
    const builder = await candidateBuilder({ ...subject, pipeline, compact, progress, signal });
    const folder = join(temporary, 'timed');
    await writePackage(folder, await builder.build(recipe));
    return await measureCurve({ runner, package: folder, texts: new Map(texts), signal });
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    progress.warn(`Answers could not be timed: ${error.message}`);
    return [];
  }
}

/** Texts are cut for a limit only where the budget bounds what that may cost. */
function choose(
  { lengths, modelTokens, wanted }: TextLength,
  curve: readonly LatencyPoint[],
  { latencyMs = {}, drop }: Budget,
): MaxTokens {
  const uncut = (maxTokens: number): MaxTokens => ({
    maxTokens,
    truncated: shareCut(lengths, maxTokens),
    covering: maxTokens,
    tooSlow: [],
  });
  if (wanted !== 'auto') return uncut(wanted);
  const choice = chooseMaxTokens({ lengths, limit: modelTokens, curve, latencyMs });
  return drop === undefined ? { ...uncut(choice.covering), tooSlow: choice.tooSlow } : choice;
}

/** For every bound up to the one that cuts nothing. */
function truncationOf({ lengths, modelTokens }: TextLength): LengthReport['truncation'] {
  const longest = Math.min(modelTokens, Math.max(...lengths));
  return Array.from({ length: Math.ceil(longest / LENGTH_STEP) }, (_, i) => {
    const tokens = Math.min(modelTokens, LENGTH_STEP * (i + 1));
    return { tokens, share: shareCut(lengths, tokens) };
  });
}

function curveText(curve: readonly LatencyPoint[]): string {
  const [least, most] = [curve.at(0), curve.at(-1)];
  if (least === undefined || most === undefined) return '';
  return `; ${least.tokens} tokens take ${formatMs(least.ms)}, ${most.tokens} take ${formatMs(most.ms)}`;
}
