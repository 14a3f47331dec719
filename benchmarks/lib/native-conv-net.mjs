// Measures one network for native-vision.mjs: node native-conv-net.mjs FOLDER NAME SCALE. Prints JSON.
import { basename, join } from 'node:path';
import process from 'node:process';
import { Tensor } from 'onnxruntime-node';
import { createSession } from '@edgewise/runtime/node';
import { cosine } from '../pages/cosine.mjs';
import { noise } from '../pages/noise.mjs';
import { CHROMIUM, fastestFile, NATIVE, NODE, openNative, printCase, takeTurns } from './native-child.mjs';
import { openEngines } from './page.mjs';
import { note } from './report.mjs';

/**
 * What is measured: the ending of the package, the bits of its weights, and the least cosine of its output with onnxruntime's, whose
 * products of 8-bit weights saturate on CPUs without VNNI; in 7 bits in all layers it is another network.
 */
const FORMS = [
  { what: 'int8', bits: 8, leastCosine: 0.98 },
  { what: 'int8-w7', bits: 7, leastCosine: 0.9 },
];

const [folder = '', name = '', scale = '1'] = process.argv.slice(2);

await printCase({ '/vision': folder }, async (page) => {
  const sessions = await Promise.all(
    FORMS.map(async (form) => {
      const session = await createSession(join(folder, `${name}.${form.what}`), { threads: 1 });
      return { ...form, session };
    }),
  );
  const [input] = sessions[0]?.session.inputs ?? [];
  if (!input) throw new Error(`${name} has no input`);
  const image = input.shape.map(Number);
  const feedsOf = (/** @type {import('onnxruntime-node').InferenceSession} */ { inputNames }) => ({
    [inputNames[0] ?? '']: new Tensor('float32', noise(image), image),
  });
  const forms = ['int8', 'int8.qdq'].map((form) => join(folder, `${name}.${form}.onnx`));
  const file = await fastestFile(forms, feedsOf);
  note(`${name}: onnxruntime-node with ${basename(file)}`);
  const native = await openNative(file, feedsOf);
  const opened = await openEngines(
    page,
    sessions.map(({ what, bits }) => ({
      session: 'edgewise',
      label: `${CHROMIUM}, ${bits}-bit weights`,
      url: `/vision/${name}.${what}`,
      image,
    })),
  );
  const expected = /** @type {Float32Array | undefined} */ (Object.values(await native.run())[0]?.data);
  /** @type {Record<string, () => Promise<unknown>>} */
  const here = { [NATIVE]: native.run };
  for (const { session, bits, leastCosine } of sessions) {
    const run = () => session.run({ [input.name]: noise(image) });
    const same = cosine(Object.values(await run())[0]?.data ?? [], expected ?? []);
    if (!(same >= leastCosine))
      throw new Error(`${name}, ${bits} bits: the output's cosine with onnxruntime's is ${same}`);
    here[`${NODE}, ${bits}-bit weights`] = run;
  }
  const times = await takeTurns(here, page, { ids: [], text: '' }, Number(scale));
  await native.close();
  for (const { session } of sessions) session.dispose();
  const modes = {
    node: sessions.map(({ session }) => session.info.mode),
    chromium: opened.map(({ info }) => info['mode']),
  };
  return { onnxruntimeModel: basename(file), modes, times };
});
