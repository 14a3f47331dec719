/** Picks layers: by their names, or by a test of the name. */
export type LayerTest = readonly string[] | ((layer: string) => boolean);

export function testOf(layers: LayerTest): (layer: string) => boolean {
  return typeof layers === 'function' ? layers : (layer) => layers.includes(layer);
}
