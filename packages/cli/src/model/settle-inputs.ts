import { fixDims, freezeInputs, inspectModel, runPasses, writeOnnx, type Model } from '@edgewise/compiler';
import type { AudioInput, Streaming } from '@edgewise/runtime/format';
import { objectOf, type Json } from './config-json.ts';

/**
 * A model of sounds as a package can run it: inputs that are settings become constants (config.json's `edgewise.settings`,
 * `{ "sr": 16000 }` say), open batches 1, an open length of the sound what a package gives at a time.
 */
export async function settleInputs(
  model: Model,
  onnx: Uint8Array,
  {
    settings,
    audio,
    streaming,
  }: { readonly settings: Json; readonly audio: AudioInput; readonly streaming: Streaming | undefined },
): Promise<{ readonly model: Model; readonly onnx: Uint8Array }> {
  const values = Object.fromEntries(
    Object.entries(objectOf(settings) ?? {}).map(([name, value]) => [name, Number(value)]),
  );
  const length = audio.samples + (streaming?.context ?? 0);
  const dims = openDims(model, audio.features === undefined ? length : 1);
  const passes = [
    ...(Object.keys(values).length > 0 ? [freezeInputs(values)] : []),
    ...(Object.keys(dims).length > 0 ? [fixDims(dims)] : []),
  ];
  if (passes.length === 0) return { model, onnx };
  const { model: settled } = await runPasses(model, passes);
  return { model: settled, onnx: writeOnnx(settled).bytes };
}

/** The last open dimension of a matrix is its length, every other 1. */
function openDims(model: Model, length: number): Record<string, number> {
  const dims: Record<string, number> = {};
  for (const { shape = [] } of inspectModel(model).inputs)
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string') dims[dim] = shape.length === 2 && axis === 1 ? length : 1;
    });
  return dims;
}
