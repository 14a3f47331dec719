import type { EncoderShares } from '../prune/index.ts';
import { listConvNetRecipes, listRecipes, type PruneStep, type Recipe, type RecipeStep } from './recipe.ts';

/** What can be taken out of an encoder. */
const ENCODER_PARTS = ['vocabulary', 'layers', 'heads', 'neurons'] as const;
export type EncoderPart = (typeof ENCODER_PARTS)[number];

/** What can be taken out of a convolutional network. */
export type ConvNetPart = 'channels';

interface Pruning {
  readonly name: string;
  readonly coverage?: number;
  readonly shares?: EncoderShares;
}

/** For layers first what often costs little, then what costs more. docs/pruning.md has what was measured. */
const PRUNINGS: Readonly<Record<EncoderPart, readonly Pruning[]>> = {
  vocabulary: [{ name: 'vocabulary-99.9', coverage: 0.999 }],
  layers: [
    { name: 'layers-83', shares: { layers: 5 / 6 } },
    { name: 'layers-67', shares: { layers: 2 / 3 } },
  ],
  heads: [{ name: 'heads-50', shares: { heads: 0.5 } }],
  neurons: [{ name: 'neurons-70', shares: { neurons: 0.7 } }],
};

/** Shares of a convolutional network's multiply-accumulates that stay. */
const MACS = [0.85, 0.7];

/** What pruning of an encoder is combined with: what usually wins for speed, and the smallest. */
const QUANTIZED = ['w7a8-static', 'w7a8-static+int4-embeddings+int3-weights'];

/** What pruning of a convolutional network is combined with: the most faithful and what is fast on every CPU. */
const QUANTIZED_CONV_NETS = ['w8a8-static', 'w7a8-static'];

export function isPruneStep(step: RecipeStep): step is PruneStep {
  return step.name.startsWith('prune-');
}

/**
 * The recipes worth trying for an encoder without some of its parts, all quantized with calibration: each part by itself, then the first
 * pruning of all parts together. Names say what share stays, in percent.
 */
export function listPrunedRecipes(parts: readonly EncoderPart[]): readonly Recipe[] {
  const [fast, small] = listRecipes({ calibrated: true }).filter(({ name }) => QUANTIZED.includes(name)) as [
    Recipe,
    Recipe,
  ];
  const each = ENCODER_PARTS.filter((part) => parts.includes(part)).map((part) => PRUNINGS[part]);
  const firsts = each.flatMap(([first]) => first ?? []);
  return [
    ...each.flat().map((pruning) => combine([pruning], fast)),
    combine(firsts, small),
    ...(firsts.length > 1 ? [combine(firsts, fast)] : []),
  ];
}

/**
 * The recipes worth trying for a convolutional network without some of its channels, quantized with calibration. Names say what share of the multiply-accumulates stays, in percent.
 */
export function listPrunedConvNetRecipes(): readonly Recipe[] {
  const quantized = listConvNetRecipes({ calibrated: true }).filter(({ name }) =>
    QUANTIZED_CONV_NETS.includes(name),
  );
  return MACS.flatMap((macs) =>
    quantized.map(({ name, steps }) => ({
      name: `channels-${100 * macs}+${name}`,
      steps: [{ name: 'prune-channels', options: { macs } } as const, ...steps],
    })),
  );
}

function combine(prunings: readonly Pruning[], { name, steps }: Recipe): Recipe {
  const vocabulary = prunings.flatMap(({ coverage }) => coverage ?? []);
  const shares = prunings.flatMap((pruning) => pruning.shares ?? []);
  return {
    name: [...prunings.map((pruning) => pruning.name), name].join('+'),
    steps: [
      ...vocabulary.map((coverage): PruneStep => ({ name: 'prune-vocabulary', options: { coverage } })),
      // All shares at once: what is repaired sees all that went.
      ...(shares.length > 0 ? [encoderStep(Object.assign({}, ...shares) as EncoderShares)] : []),
      ...steps,
    ],
  };
}

function encoderStep(options: EncoderShares): PruneStep {
  return { name: 'prune-encoder', options };
}
