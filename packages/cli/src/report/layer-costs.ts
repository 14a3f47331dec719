import { inspectModel, type InspectReport, type Model } from '@edgewise/compiler';
import type { LayerCost } from './optimize-report.ts';
import { TYPICAL_PIXELS, TYPICAL_TOKENS } from './typical-sizes.ts';

/** Values for what a model leaves open. */
export interface OpenSizes {
  readonly tokens?: number;
  /** Pixels of each side of an image. */
  readonly pixels?: number;
}

/** Every symbolic dimension of the inputs bound: the first one to 1, those of images to `pixels`, others to `tokens`. */
export function usualBindings(
  model: Model,
  { tokens = TYPICAL_TOKENS, pixels = TYPICAL_PIXELS }: OpenSizes = {},
): ReadonlyMap<string, number> {
  const bindings = new Map<string, number>();
  for (const { shape = [] } of inspectModel(model).inputs) {
    const size = shape.length === 4 ? pixels : tokens;
    for (const [axis, dim] of shape.entries())
      if (typeof dim === 'string') bindings.set(dim, axis === 0 ? 1 : size);
  }
  return bindings;
}

/** A report on a model with every symbolic dimension bound to something usual. */
export function inspectUsual(model: Model, sizes: OpenSizes = {}): InspectReport {
  return inspectModel(model, { bindings: usualBindings(model, sizes) });
}

/** What each layer costs; those without multiply-accumulates or weights are left out. */
export function layerCosts(model: Model, sizes: OpenSizes = {}): readonly LayerCost[] {
  return inspectUsual(model, sizes)
    .nodes.map(({ name, macs, parameterBytes }) => ({ name, macs: macs ?? 0, parameterBytes }))
    .filter(({ macs, parameterBytes }) => macs > 0 || parameterBytes > 0);
}
