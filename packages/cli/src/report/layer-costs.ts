import { inspectModel, type InspectReport, type Model } from '@edgewise/compiler';
import type { LayerCost } from './optimize-report.ts';
import { TYPICAL_TOKENS } from './typical-tokens.ts';

/** A report on a text model with every symbolic dimension bound: the first one of an input to 1, others to `tokens`. */
export function inspectTextModel(model: Model, tokens: number = TYPICAL_TOKENS): InspectReport {
  const bindings = new Map<string, number>();
  for (const { shape } of inspectModel(model).inputs)
    shape?.forEach((dim, axis) => {
      if (typeof dim === 'string') bindings.set(dim, axis === 0 ? 1 : tokens);
    });
  return inspectModel(model, { bindings });
}

/** What each layer costs; those without multiply-accumulates or weights are left out. */
export function layerCosts(model: Model): readonly LayerCost[] {
  return inspectTextModel(model)
    .nodes.map(({ name, macs, parameterBytes }) => ({ name, macs: macs ?? 0, parameterBytes }))
    .filter(({ macs, parameterBytes }) => macs > 0 || parameterBytes > 0);
}
