import type { Diagnostic } from '../../diagnostics/index.ts';
import type { Node } from '../../ir/index.ts';
import { float32Constant } from '../../transforms/constants.ts';
import { layerName, tableOf, type ChosenRange, type ConvNetPlan, type Grids } from './conv-net-plan.ts';
import { constantNoise, inputNoise } from './layer-noise.ts';
import { quantizedKind } from './quantized-operators.ts';
import type { ConvNetStatistics } from '../statistics/value-statistics.ts';

/**
 * Nodes that 8-bit values would drown, by name, with the reason: a layer whose input is too coarse, with the node that makes that input,
 * and a layer whose sums are too coarse for the activation that follows.
 */
export function findNoisy(
  plan: ConvNetPlan,
  ranges: ReadonlyMap<string, ChosenRange>,
  grids: Grids,
  { statistics, noiseLimit }: { readonly statistics: ConvNetStatistics; readonly noiseLimit: number },
): Map<string, Diagnostic> {
  const found = new Map<string, Diagnostic>();
  const keep = (node: Node | undefined, why: string): void => {
    const name = node === undefined ? '' : layerName(node);
    if (name !== '' && !found.has(name)) found.set(name, keptFloat(name, why));
  };
  for (const node of plan.layers) {
    const [x = '', weightName = ''] = node.inputs;
    const [y = ''] = node.outputs;
    const weight = float32Constant(plan.index, weightName);
    const output = statistics.get(y);
    const grid = grids.get(x);
    if (weight !== undefined && output !== undefined && grid !== undefined) {
      const share = inputNoise(node, weight, grid.scale, output);
      if (share > noiseLimit) {
        const why = `8 bits of '${x}' would make ${percent(share)} of what ${layerName(node)} computes noise`;
        keep(makerOf(x, plan), why);
        keep(node, why);
      }
    }
    const table = tableOf(y, plan);
    const image = statistics.get(table?.outputs[0] ?? '');
    if (table === undefined || image === undefined) continue;
    const share = constantNoise(ranges.get(y)?.tableError ?? 0, image);
    if (share > noiseLimit)
      keep(node, `8 bits before ${table.opType} would make ${percent(share)} of what it computes noise`);
  }
  return found;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The node whose numbers a value holds: what only moves or tabulates them is passed over. */
function makerOf(value: string, plan: ConvNetPlan): Node | undefined {
  const node = plan.index.producer(value);
  if (node === undefined || !plan.region.has(node)) return undefined;
  const kind = quantizedKind(node, plan.index);
  return kind === 'same' || kind === 'table' ? makerOf(node.inputs[0] ?? '', plan) : node;
}

export function keptFloat(node: string, why: string): Diagnostic {
  return { severity: 'warning', code: 'kept-float', message: `${node} stays float: ${why}`, at: { node } };
}
