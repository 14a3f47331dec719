// Measures one shape for native.mjs: node native-encoder.mjs MODELS SHAPE SCALE. Prints JSON.
import { basename, join } from 'node:path';
import process from 'node:process';
import { Tensor } from 'onnxruntime-node';
import { createSession } from '@edgewise/runtime/node';
import { edgewisePackage } from './edgewise.mjs';
import { tokenIds } from './inputs.mjs';
import { CACHE, int8Variants, modelFolder } from './models.mjs';
import { CHROMIUM, fastestFile, NATIVE, NODE, openNative, printCase, takeTurns } from './native-child.mjs';
import { openEngines } from './page.mjs';
import { note } from './report.mjs';
import { NATIVE_TOKENS, SHAPES, VOCABULARY } from './shapes.mjs';

const [models = '', wanted = '', scale = '1'] = process.argv.slice(2);
const shape = SHAPES.find(({ name }) => name === wanted);
if (!shape) throw new Error(`there is no shape ${wanted}`);
const { name, task, inputs, output } = shape;

await printCase({ '/packages': join(CACHE, 'packages') }, async (page) => {
  const folder = modelFolder({ models }, name);
  const packaged = await edgewisePackage({ folder, name, task, recipe: 'w7a8-dynamic' });
  const ids = tokenIds(NATIVE_TOKENS, VOCABULARY);
  const feedsOf = (/** @type {import('onnxruntime-node').InferenceSession} */ session) =>
    encoderFeeds(session, ids);
  const files = int8Variants(folder).map((variant) => join(folder, variant));
  const file = await fastestFile(files, feedsOf);
  const native = await openNative(file, feedsOf);
  const session = await createSession(packaged.folder, { threads: 1 });
  const [chromium] = await openEngines(page, [
    { session: 'edgewise', label: CHROMIUM, url: `/packages/${packaged.id}`, inputs, output },
  ]);
  note(`${name}: onnxruntime-node with ${basename(file)}`);
  const here = { [NATIVE]: native.run, [NODE]: () => session.run({ input_ids: ids }) };
  const times = await takeTurns(here, page, { ids, text: '' }, Number(scale));
  await native.close();
  session.dispose();
  const modes = { node: session.info.mode, chromium: chromium?.info['mode'] };
  return { onnxruntimeModel: basename(file), modes, times };
});

/** @param {import('onnxruntime-node').InferenceSession} session @param {readonly number[]} ids */
function encoderFeeds({ inputMetadata }, ids) {
  return Object.fromEntries(
    inputMetadata.map((input) => {
      const values = ids.map((id) =>
        input.name === 'input_ids' ? id : input.name === 'attention_mask' ? 1 : 0,
      );
      const wide = input.isTensor && input.type === 'int64';
      const tensor = wide
        ? new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length])
        : new Tensor('int32', Int32Array.from(values), [1, ids.length]);
      return [input.name, tensor];
    }),
  );
}
