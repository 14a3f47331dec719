import { float32Tensor, inspectModel, type Model } from '@edgewise/compiler';
import { prepareAudio } from '@edgewise/runtime/audio';
import type { AudioInput, Streaming } from '@edgewise/runtime/format';
import { decodeSound } from '../../media/decode-sound.ts';
import type { Sample } from '../pipelines/pipeline.ts';

/** Makes the model's inputs of the start of a sound file as the package will: states are zeros then, and so is the context. */
export function soundSampler(
  model: Model,
  audio: AudioInput,
  { context = 0, states }: Streaming = { states: [] },
): (path: string) => Promise<Sample> {
  const inputs = inspectModel(model).inputs.map(({ name, shape = [] }) => ({
    name,
    dims: shape.map((dim) => (typeof dim === 'number' ? dim : 1)),
    isState: states.some(({ input }) => input === name),
  }));
  return async (path) => {
    const { data } = prepareAudio(await decodeSound(path), audio);
    return new Map(
      inputs.map(({ name, dims, isState }) => {
        const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
        if (!isState) values.set(data.subarray(0, values.length - context), context);
        return [name, float32Tensor(dims, values)];
      }),
    );
  };
}
