// The page of an object detector: pictures in front of a model that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { runPage, showAnswer, showBars } from './page.js';
import { shownPicture, whileLooking } from './pictures.js';
import { load } from './runtime/object-detection.js';
import { EXAMPLES } from './page-config.js';

/** Degrees between the hues of neighbouring classes: the golden angle keeps any number of them apart. */
const HUE_STEP = 137.508;
/** Height of letters and width of lines by the shorter side of the picture. */
const TEXT_SHARE = 1 / 28;
const LINE_SHARE = 1 / 180;
const OBJECTS_LISTED = 20;

await runPage(load, (detect) => {
  const { labels = [] } = detect.manifest;
  whileLooking(EXAMPLES, async (picture) => {
    const start = performance.now();
    const found = await detect(picture);
    const milliseconds = performance.now() - start;
    return () => {
      drawBoxes(found, labels);
      showAnswer(countText(found.length), milliseconds);
      showBars(found.slice(0, OBJECTS_LISTED));
    };
  });
});

/** @param {number} count */
function countText(count) {
  if (count === 0) return 'Nothing found';
  return count === 1 ? '1 object' : `${count} objects`;
}

/** @param {readonly import('@edgewise/runtime/object-detection').Detection[]} found @param {readonly string[]} labels */
function drawBoxes(found, labels) {
  const { canvas, scale } = shownPicture();
  const context = canvas.getContext('2d');
  if (!context) return;
  const side = Math.min(canvas.width, canvas.height);
  const size = Math.max(12, side * TEXT_SHARE);
  context.lineWidth = Math.max(2, side * LINE_SHARE);
  context.font = `${size}px system-ui, sans-serif`;
  context.textBaseline = 'top';
  // The best one last, so that it is on top.
  for (const { label, score, box } of found.toReversed()) {
    const color = `hsl(${(HUE_STEP * labels.indexOf(label)) % 360} 75% 38%)`;
    const [x, y] = [box.x * scale, box.y * scale];
    const text = `${label} ${Math.round(100 * score)} %`;
    const wide = context.measureText(text).width + size / 2;
    const left = Math.max(0, Math.min(x, canvas.width - wide));
    const top = y > size * 1.3 ? y - size * 1.3 : y;
    context.strokeStyle = color;
    context.strokeRect(x, y, box.width * scale, box.height * scale);
    context.fillStyle = color;
    context.fillRect(left, top, wide, size * 1.3);
    context.fillStyle = 'white';
    context.fillText(text, left + size / 4, top + size * 0.15);
  }
}
