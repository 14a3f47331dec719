// The page of a classifier of sounds: a file or the microphone in front of a model that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { runPage, showAnswer, showBars } from './page.js';
import { load } from './runtime/audio-classification.js';
import { whileListening } from './sounds.js';

const LABELS_SHOWN = 5;

await runPage(load, (classify) => {
  const { samples, sampleRate } = classify.manifest.audio;
  whileListening(samples / sampleRate, async (sound) => {
    const start = performance.now();
    const scores = await classify(sound, { topK: LABELS_SHOWN });
    const milliseconds = performance.now() - start;
    return () => {
      showAnswer(scores[0]?.label ?? '', milliseconds);
      showBars(scores);
    };
  });
});
