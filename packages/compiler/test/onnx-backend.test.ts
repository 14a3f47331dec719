import { isDeepStrictEqual } from 'node:util';
import { describeWithAssets } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { readOnnx, validateModel, writeOnnx, type Model, type ValueInfo } from '../src/index.ts';
import { BACKEND_ARCHIVE, readBackendCases, readValue } from './backend-cases.ts';
import { isRunnable, runOnnx, type Feeds } from './onnxruntime.ts';

/** What onnxruntime 1.30 makes of the 1673 models; the same for the original and the rewritten file. */
const EXPECTED = {
  /** Ran; all outputs have equal bits. */
  equal: 1442,
  /** Loaded; onnxruntime-node has no values of the types they take or give (sequences, optionals, 4-bit integers, …). */
  loaded: 63,
  /** Not implemented by onnxruntime: both are refused with the same message. */
  refused: 168,
};

type Group = keyof typeof EXPECTED | 'different';

describeWithAssets('ONNX backend tests', BACKEND_ARCHIVE, () => {
  it('are read, validated and written, and onnxruntime sees no difference', async () => {
    const problems: string[] = [];
    const counts: Record<Group, number> = { equal: 0, loaded: 0, refused: 0, different: 0 };
    for (const [name, { model: original, inputs }] of await readBackendCases()) {
      const model = readOnnx(original, { file: name });
      for (const { message } of validateModel(model)) problems.push(`${name}: ${message}`);
      const { bytes } = writeOnnx(model);
      if (!isDeepStrictEqual(readOnnx(bytes), model)) problems.push(`${name}: reads back as another model`);
      const group = await compare(original, bytes, readFeeds(model, inputs));
      counts[group] += 1;
      if (group === 'different') problems.push(`${name}: onnxruntime gives another result`);
    }
    expect(problems).toEqual([]);
    expect(counts).toEqual({ ...EXPECTED, different: 0 });
  }, 180_000);
});

async function compare(
  original: Uint8Array,
  rewritten: Uint8Array,
  feeds: Feeds | undefined,
): Promise<Group> {
  const [before, after] = [await runOnnx(original, feeds), await runOnnx(rewritten, feeds)];
  if (!isDeepStrictEqual(before, after)) return 'different';
  if ('failure' in before) return 'refused';
  return feeds === undefined ? 'loaded' : 'equal';
}

/** The inputs as tensors; undefined when onnxruntime-node cannot pass an input or an output. */
function readFeeds(model: Model, inputs: readonly Uint8Array[]): Feeds | undefined {
  const { graph } = model;
  if (![...graph.inputs, ...graph.outputs].every(isRunnable)) return undefined;
  return new Map(inputs.map((bytes, index) => [nameOf(graph.inputs[index]), readValue(bytes)]));
}

function nameOf(info: ValueInfo | undefined): string {
  if (info === undefined) throw new Error('the data set has more inputs than the model');
  return info.name;
}
