import type { EncoderShares } from '../prune/index.ts';
import { listRecipes, type PruneStep, type Recipe, type RecipeStep } from './recipe.ts';

/** What can be taken out of an encoder. */
export const PRUNABLE = ['vocabulary', 'layers', 'heads', 'neurons'] as const;
export type Prunable = (typeof PRUNABLE)[number];

interface Pruning {
  readonly name: string;
  readonly coverage?: number;
  readonly shares?: EncoderShares;
}

/** For layers first what often costs little, then what costs more. docs/pruning.md has what was measured. */
const PRUNINGS: Readonly<Record<Prunable, readonly Pruning[]>> = {
  vocabulary: [{ name: 'vocabulary-99.9', coverage: 0.999 }],
  layers: [
    { name: 'layers-83', shares: { layers: 5 / 6 } },
    { name: 'layers-67', shares: { layers: 2 / 3 } },
  ],
  heads: [{ name: 'heads-50', shares: { heads: 0.5 } }],
  neurons: [{ name: 'neurons-70', shares: { neurons: 0.7 } }],
};

/** What pruning is combined with: what usually wins for speed, and the smallest. */
const QUANTIZED = ['w7a8-static', 'w7a8-static+int4-embeddings+int4-weights'];

export function isPruneStep(step: RecipeStep): step is PruneStep {
  return step.name === 'prune-vocabulary' || step.name === 'prune-encoder';
}

/**
 * The recipes worth trying for an encoder without some of its parts, all quantized with calibration: each part by itself, then the first
 * pruning of all parts together. Names say what share stays, in percent.
 */
export function listPrunedRecipes(parts: readonly Prunable[]): readonly Recipe[] {
  const [fast, small] = listRecipes({ calibrated: true }).filter(({ name }) => QUANTIZED.includes(name)) as [
    Recipe,
    Recipe,
  ];
  const each = PRUNABLE.filter((part) => parts.includes(part)).map((part) => PRUNINGS[part]);
  const firsts = each.flatMap(([first]) => first ?? []);
  return [
    ...each.flat().map((pruning) => combine([pruning], fast)),
    combine(firsts, small),
    ...(firsts.length > 1 ? [combine(firsts, fast)] : []),
  ];
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
