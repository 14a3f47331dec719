// Runs a package in a page and measures it; 'edgewise optimize' and 'edgewise bench --browser' drive it.
import { cosine } from './cosine.js';

/** Boxes that evaluation wants to see; the same as in Node. */
const EVALUATED_SCORE = 0.01;

const TASKS = {
  'text-classification': (model) => async (input) => ({ scores: byLabel(await model(taskInput(input))) }),
  'feature-extraction':
    (model) =>
    async ({ text, textPair = text }) => {
      const [a, b] = await model([text, textPair]);
      return { scores: [cosine(a, b)] };
    },
  'image-classification': (model) => async (image) => ({ scores: byLabel(await model(image)) }),
  'image-feature-extraction': (model) => async (images) => {
    const [a, b] = await model(Array.isArray(images) ? images : [images, images]);
    return { scores: [cosine(a, b)] };
  },
  'audio-classification': (model) => async (sound) => ({ scores: byLabel(await model(sound)) }),
  'voice-activity-detection': (model) => async (sound) => ({
    scores: [(await model.probabilities(sound)).reduce((most, each) => Math.max(most, each), 0)],
  }),
  'object-detection': (model) => async (image) => {
    const found = await model(image, { scoreThreshold: EVALUATED_SCORE });
    const boxes = found.map(({ label, score, box }) => ({
      classIndex: manifest.labels.indexOf(label),
      score,
      box,
    }));
    return { scores: [], boxes };
  },
};

const manifest = await (await fetch('./model/edgewise.json')).json();
const before = await heldBytes();
let answer;

globalThis.edgewiseMeasure = {
  async open(first, options = {}) {
    const start = performance.now();
    const { load } = await import(`./runtime/${manifest.task}.js`);
    const model = await load('./model/', options);
    const loaded = performance.now();
    answer = TASKS[manifest.task](model);
    const { latencyMs } = await timed(first);
    return { loadMs: loaded - start, firstMs: latencyMs, memoryBytes: model.info.memoryBytes };
  },
  async run(inputs) {
    const outputs = [];
    for (const input of inputs) outputs.push(await timed(input));
    return outputs;
  },
  async memory() {
    return Math.max(0, (await heldBytes()) - before);
  },
};

/** The answer and its time, without the time that a file takes to get here. */
async function timed(input) {
  const prepared = 'file' in input ? await fetchFiles(input) : input;
  const start = performance.now();
  const output = await answer(prepared);
  return { ...output, latencyMs: performance.now() - start };
}

/** What a file holds, or a pair of files. */
async function fetchFiles({ file, filePair }) {
  const decoded = await fetchDecoded(file);
  return filePair === undefined ? decoded : [decoded, await fetchDecoded(filePair)];
}

/** Pixels of an image, or samples of a sound. */
async function fetchDecoded(file) {
  const response = await fetch(`./example?file=${encodeURIComponent(file)}`);
  if (!response.ok) throw new Error(await response.text());
  const facts = JSON.parse(response.headers.get('X-Example'));
  const bytes = await response.arrayBuffer();
  if (!('sampleRate' in facts)) return { ...facts, data: new Uint8Array(bytes) };
  const { sampleRate, channels } = facts;
  const length = bytes.byteLength / 4 / channels;
  const samples = Array.from({ length: channels }, (_, i) => new Float32Array(bytes, 4 * i * length, length));
  return { sampleRate, samples };
}

/** Bytes of the page and its workers; 0 where the browser does not tell. */
async function heldBytes() {
  return (await performance.measureUserAgentSpecificMemory?.())?.bytes ?? 0;
}

function taskInput({ text, textPair }) {
  return textPair === undefined ? text : { text, pair: textPair };
}

/** Class scores in the order of the manifest's labels. */
function byLabel(ranked) {
  const scores = new Map(ranked.map(({ label, score }) => [label, score]));
  return manifest.labels.map((label) => scores.get(label) ?? 0);
}
