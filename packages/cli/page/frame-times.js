// The times of the last frames of the camera as a line with their median.
import { byId } from './page.js';

/** Frames that the line shows: about four seconds. */
const FRAMES_SHOWN = 120;
/** Height of the drawing in its own units, as the template has it. */
const HEIGHT = 40;

export function createFrameTimes() {
  const figure = byId('frames');
  const line = figure.querySelector('polyline');
  const caption = figure.querySelector('figcaption');
  /** @type {number[]} */
  let times = [];
  return {
    clear() {
      times = [];
      figure.hidden = true;
    },
    /** @param {number} milliseconds */
    add(milliseconds) {
      times = [...times, milliseconds].slice(-FRAMES_SHOWN);
      figure.hidden = false;
      const highest = Math.max(...times);
      const points = times.map((time, i) => `${i},${(HEIGHT * (1 - time / highest)).toFixed(1)}`);
      line?.setAttribute('points', points.join(' '));
      const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
      if (caption)
        caption.textContent = `${median.toFixed(1)} ms a frame, at most ${highest.toFixed(1)} ms of the last ${times.length}`;
    },
  };
}
