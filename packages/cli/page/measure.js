// Runs a package in a page and measures it; 'edgewise optimize' and 'edgewise bench --browser' drive it.
import { cosine } from './cosine.js';

const manifest = await (await fetch('./model/edgewise.json')).json();
const before = await heldBytes();
let score;

globalThis.edgewiseMeasure = {
  async open(first) {
    const start = performance.now();
    const { load } = await import(`./runtime/${manifest.task}.js`);
    const model = await load('./model/');
    const loaded = performance.now();
    score = manifest.task === 'feature-extraction' ? cosineOf(model) : scoresOf(model);
    await score(first);
    return {
      loadMs: loaded - start,
      firstMs: performance.now() - loaded,
      memoryBytes: model.info.memoryBytes,
    };
  },
  async run(inputs) {
    const outputs = [];
    for (const input of inputs) {
      const start = performance.now();
      const scores = await score(input);
      outputs.push({ scores, latencyMs: performance.now() - start });
    }
    return outputs;
  },
  async memory() {
    return Math.max(0, (await heldBytes()) - before);
  },
};

/** Bytes of the page and its workers; 0 where the browser does not tell. */
async function heldBytes() {
  return (await performance.measureUserAgentSpecificMemory?.())?.bytes ?? 0;
}

/** Class scores in the order of the manifest's labels. */
function scoresOf(classify) {
  return async ({ text, textPair }) => {
    const ranked = await classify(textPair === undefined ? text : { text, pair: textPair });
    const byLabel = new Map(ranked.map(({ label, score: value }) => [label, value]));
    return manifest.labels.map((label) => byLabel.get(label) ?? 0);
  };
}

/** Cosine of the angle between the two sentences' vectors. */
function cosineOf(extract) {
  return async ({ text, textPair }) => {
    const [a, b] = await extract([text, textPair ?? text]);
    return [cosine(a, b)];
  };
}
