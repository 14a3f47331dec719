// Convolutional networks in int8 on our engine in Node and in Chromium against native onnxruntime on the same graph, one thread
// each, taking turns.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOnnx, writeOnnx } from '@edgewise/compiler';
import { CACHE } from './lib/models.mjs';
import { compareWithNative } from './lib/native.mjs';
import { toQdq } from './lib/qdq.mjs';
import { NETWORKS, OTHER_NETWORKS } from './lib/vision.mjs';
import { prepare } from './vision-latency.mjs';

const NAMES = ['mobilenet_v1_0.25_224', 'mobilenet_v2_1.0_224_deq', 'yolox_nano'];

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = join(CACHE, 'native-vision');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const networks = [...NETWORKS, ...OTHER_NETWORKS].filter(
    ({ name }) => NAMES.includes(name) && name.includes(options.only ?? ''),
  );
  for (const network of networks) {
    await prepare(network, folder);
    const model = readOnnx(readFileSync(join(folder, `${network.name}.int8.onnx`)));
    writeFileSync(join(folder, `${network.name}.int8.qdq.onnx`), writeOnnx(toQdq(model)).bytes);
  }
  await compareWithNative(options, {
    benchmark: 'native-vision',
    child: 'native-conv-net.mjs',
    folder,
    names: networks.map(({ name }) => name),
    bar: 2,
  });
}
