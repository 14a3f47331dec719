import { float32Tensor, inspectModel, type Model } from '@edgewise/compiler';
import { prepareAudio } from '@edgewise/runtime/audio';
import type { AudioInput } from '@edgewise/runtime/format';
import { decodeSound } from '../media/decode-sound.ts';
import { inputName } from './input-name.ts';
import type { Sample } from './pipeline.ts';

/** Makes the model's input of a sound file as the package will. */
export function soundSampler(model: Model, audio: AudioInput): (path: string) => Promise<Sample> {
  const name = inputName(model);
  const shape = inspectModel(model).inputs[0]?.shape ?? [];
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1));
  return async (path) => {
    const { data } = prepareAudio(await decodeSound(path), audio);
    return new Map([[name, float32Tensor(dims, data)]]);
  };
}
