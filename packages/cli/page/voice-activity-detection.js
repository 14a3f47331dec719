// The page of a voice activity detector: a file or the microphone in front of a model that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { byId, runPage, showAnswer } from './page.js';
import { load } from './runtime/voice-activity-detection.js';
import { whileListening, whileStreaming } from './sounds.js';

const WIDTH = 300;
const HEIGHT = 60;
/** Probabilities of the microphone that are shown: about ten seconds of Silero's chunks. */
const CHUNKS_SHOWN = 300;

const figure = byId('speech');

await runPage(load, (detect) => {
  const { threshold = 0.5 } = detect.manifest;
  whileListening(undefined, async (clip) => {
    const start = performance.now();
    const probabilities = await detect.probabilities(clip);
    const milliseconds = performance.now() - start;
    const segments = await detect(clip);
    return () => {
      const spoken = segments.reduce((sum, segment) => sum + segment.end - segment.start, 0);
      showAnswer(spoken === 0 ? 'No speech' : `${spoken.toFixed(1)} s of speech`, milliseconds);
      showLine(
        Array.from(probabilities),
        segments.map(({ start: from, end }) => `${from.toFixed(1)}–${end.toFixed(1)} s`).join(', '),
      );
    };
  });
  whileStreaming((sampleRate) => {
    const stream = detect.stream({ sampleRate });
    /** @type {number[]} */
    let recent = [];
    return async (samples) => {
      const start = performance.now();
      const fresh = await stream.push(samples);
      const milliseconds = performance.now() - start;
      recent = [...recent, ...fresh].slice(-CHUNKS_SHOWN);
      const last = recent.at(-1);
      if (last === undefined) return;
      showAnswer(last >= threshold ? 'Speech' : 'No speech', milliseconds);
      showLine(recent, `Probability of speech: ${Math.round(100 * last)} %`);
    };
  });
});

/** @param {readonly number[]} probabilities @param {string} text */
function showLine(probabilities, text) {
  const step = WIDTH / Math.max(1, probabilities.length - 1);
  const points = probabilities.map((p, i) => `${(i * step).toFixed(1)},${(HEIGHT * (1 - p)).toFixed(1)}`);
  figure.hidden = false;
  figure.querySelector('polyline')?.setAttribute('points', points.join(' '));
  const caption = figure.querySelector('figcaption');
  if (caption) caption.textContent = text;
}
