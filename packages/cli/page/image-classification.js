// The page of an image classifier: pictures in front of a model that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { runPage, showAnswer, showBars } from './page.js';
import { whileLooking } from './pictures.js';
import { load } from './runtime/image-classification.js';
import { EXAMPLES } from './page-config.js';

const LABELS_SHOWN = 5;

await runPage(load, (classify) =>
  whileLooking(EXAMPLES, async (picture) => {
    const start = performance.now();
    const scores = await classify(picture, { topK: LABELS_SHOWN });
    const milliseconds = performance.now() - start;
    return () => {
      showAnswer(scores[0]?.label ?? '', milliseconds);
      showBars(scores);
    };
  }),
);
