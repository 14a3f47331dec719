// Encoders on our engine in Node and in Chromium against native onnxruntime, one thread each, taking turns.
import { compareWithNative } from './lib/native.mjs';
import { NATIVE_TOKENS, SHAPES } from './lib/shapes.mjs';

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  await compareWithNative(options, {
    benchmark: 'native',
    child: 'native-encoder.mjs',
    folder: options.models,
    names: SHAPES.map(({ name }) => name).filter((name) => name.includes(options.only ?? '')),
    bar: 2.2,
    facts: { tokens: NATIVE_TOKENS },
  });
}
