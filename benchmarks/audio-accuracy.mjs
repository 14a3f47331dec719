// Networks for sound on labelled clips, through the runtime's tasks: the original on onnxruntime-node, and our packages.
import {
  buildPackage,
  compileEdge,
  freezeInputs,
  METRICS,
  readOnnx,
  runPasses,
  writeOnnx,
} from '@edgewise/compiler';
import { load as loadClassifier } from '@edgewise/runtime/audio-classification';
import { load as loadDetector } from '@edgewise/runtime/voice-activity-detection';
import { AUDIO_NETWORKS, audioVariants, compactAudioNet, readAudioModel } from './lib/audio.mjs';
import { readClips, SILENCE } from './lib/clips.mjs';
import { note, printTable, writeResult } from './lib/report.mjs';

const RATE = 16_000;

/** The front end of MLPerf Tiny's keyword spotter (its get_dataset.py). @type {import('@edgewise/runtime/format').AudioInput} */
const KEYWORD_INPUT = {
  sampleRate: RATE,
  samples: RATE,
  gain: 'max',
  features: {
    frameLength: 480,
    frameStep: 320,
    fftSize: 512,
    window: 'hann',
    spectrum: 'magnitude',
    mel: { bands: 40, low: 20, high: 4000, scale: 'htk', triangles: 'mel' },
    log: { base: 'e', floor: 1e-6, floorMode: 'add' },
    dct: { coefficients: 10, scaling: 'htk' },
    layout: 'frames-bands',
  },
};

/** Manifest fields by network. @type {Readonly<Record<string, Partial<import('@edgewise/runtime/format').Manifest> & { task: string }>>} */
const FIELDS = {
  mlperf_tiny_kws_dscnn: {
    task: 'audio-classification',
    audio: KEYWORD_INPUT,
    labels: 'down,go,left,no,off,on,right,stop,up,yes,_silence_,_unknown_'.split(','),
    scores: 'probabilities',
  },
  kwt1_raw_audio: {
    task: 'audio-classification',
    audio: { sampleRate: RATE, samples: RATE },
    labels: '_silence_,_unknown_,yes,no,up,down,left,right,on,off,stop,go'.split(','),
  },
  silero_vad_16k_op15: {
    task: 'voice-activity-detection',
    audio: { sampleRate: RATE, samples: 512 },
    streaming: { context: 64, states: [{ input: 'state', output: 'stateN' }] },
  },
};

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const clips = readClips();
  const rows = [];
  for (const [name, fields] of Object.entries(FIELDS)) {
    if (!name.includes(options.only ?? '')) continue;
    note(name);
    /** @type {[string, Map<string, Uint8Array>][]} */
    const packages = [
      ['onnxruntime-node, original', await originalPackage(name, fields)],
      ...(await ourPackages(name, fields)),
    ];
    for (const [runner, files] of packages) {
      const measure = fields.task === 'audio-classification' ? classify : detect;
      const bytes = files.get('model.weights')?.length ?? files.get('model.onnx')?.length;
      rows.push({
        model: name,
        runner,
        modelBytes: bytes,
        clips: clips.length,
        ...(await measure(files, clips)),
      });
    }
  }
  printTable(
    rows.map(({ model, runner, modelBytes, correct, clips: all, auroc }) => ({
      model,
      runner,
      'model, bytes': modelBytes ?? 0,
      correct: `${correct} of ${all}`,
      auroc: auroc?.toFixed(4) ?? '',
    })),
  );
  if (options.keep) writeResult('audio-accuracy', { data: 'speech-commands-12', rows });
}

/** @typedef {import('./lib/clips.mjs').Clip} Clip */

/** @param {any} files @param {readonly Clip[]} clips */
async function classify(files, clips) {
  const task = await loadClassifier(files, { threads: 1 });
  const results = await task(clips, { topK: 1 });
  task.dispose();
  return { correct: results.filter(([best], i) => best?.label === clips[i]?.label).length, auroc: undefined };
}

/** A clip's score is the largest probability of speech in it. @param {any} files @param {readonly Clip[]} clips */
async function detect(files, clips) {
  const task = await loadDetector(files, { threads: 1 });
  /** @type {number[]} */
  const scores = [];
  for (const clip of clips) scores.push(Math.max(...(await task.probabilities(clip))));
  task.dispose();
  const golds = clips.map(({ label }) => (label === SILENCE ? 0 : 1));
  const correct = golds.filter((gold, i) => ((scores[i] ?? 0) >= 0.5 ? 1 : 0) === gold).length;
  return { correct, auroc: METRICS.auroc.over(scores, golds)([...golds.keys()]) };
}

/** @param {string} name @param {{ task: string }} fields */
async function originalPackage(name, fields) {
  const settings = AUDIO_NETWORKS.find((network) => network.name === name)?.settings ?? {};
  const { model } = await runPasses(readOnnx(readAudioModel(name)), [freezeInputs(settings)]);
  const files = new Map([['model.onnx', writeOnnx(model).bytes]]);
  return buildPackage({
    description: { name, ...fields },
    model: { kind: 'onnx', file: 'model.onnx' },
    files,
  });
}

/**
 * Packages of ours, where the engine can run the network.
 * @param {string} name @param {{ task: string }} fields @returns {Promise<[string, Map<string, Uint8Array>][]>}
 */
async function ourPackages(name, fields) {
  const network = AUDIO_NETWORKS.find((known) => known.name === name);
  if (!network) return [];
  const float = await compactAudioNet(network);
  return Promise.all(
    audioVariants(float).map(async ({ label, passes }) => {
      const { model, files } = compileEdge((await runPasses(float, passes)).model);
      return /** @type {[string, Map<string, Uint8Array>]} */ ([
        `edgewise ${label}`,
        await buildPackage({ description: { name, ...fields }, model, files }),
      ]);
    }),
  );
}
