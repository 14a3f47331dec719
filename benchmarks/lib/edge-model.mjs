// A model graph on our engine in this process, without files.
import {
  buildPackage,
  compileActivations,
  compileEdge,
  denseTensor,
  isFloat32,
  typedData,
} from '@edgewise/compiler';
import { createSession } from '@edgewise/runtime/node';

const MAX_TOKENS = 128;

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('@edgewise/compiler').OpenedModel} OpenedModel
 */

/** Compiles the graph and opens it on one thread. @param {Model} model */
export async function openEdge(model) {
  const artifact = compileEdge(model, { maxSequence: MAX_TOKENS });
  const weights = artifact.files.get(artifact.model.weights.file);
  return { session: await open(artifact), bytes: weights?.length ?? 0 };
}

/** What `pruneEncoder` and `pruneChannels` run models with. @param {Model} model @param {readonly string[]} values @returns {Promise<OpenedModel>} */
export async function openActivations(model, values) {
  const session = await open(compileActivations(model, values, { maxSequence: MAX_TOKENS }));
  const inputs = session.inputs.map(({ name }) => name);
  return {
    run: async (sample, want, emit) => {
      const feeds = inputs.map((name) => {
        const tensor = sample.get(name);
        if (tensor?.kind !== 'dense') throw new Error(`there is no input ${name}`);
        const numbers = isFloat32(tensor) ? typedData(tensor) : Array.from(typedData(tensor), Number);
        return /** @type {const} */ ([name, numbers]);
      });
      const outputs = await session.run(Object.fromEntries(feeds));
      for (const name of want) {
        const output = outputs[name];
        if (output) emit(name, denseTensor('float32', output.shape, output.data));
      }
    },
    close: () => session.dispose(),
  };
}

/** @param {import('@edgewise/compiler').EdgeArtifact<import('@edgewise/runtime/format').FileContent>} artifact */
async function open({ model, files }) {
  const description = { name: 'benchmark', task: 'benchmark' };
  return createSession(await buildPackage({ description, model, files }), { threads: 1 });
}
