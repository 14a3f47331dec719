// What the pages of image models share: a picture from a file, from the examples, dropped, pasted or from the camera.
import { createFrameTimes } from './frame-times.js';
import { byId, element, fail, showBusy, showPrompt } from './page.js';

/** Pixels of the longer side of what is shown, at least and at most; the model gets the picture as it is. */
const SMALLEST_SIDE = 480;
const LARGEST_SIDE = 1280;

/** @typedef {ImageBitmap | Blob} Picture what the model is given */
/** @typedef {{ canvas: HTMLCanvasElement, scale: number }} Shown the canvas, and its pixels for one of the picture */

const canvas = /** @type {HTMLCanvasElement} */ (byId('picture'));
const cameraButton = byId('camera');
const fileInput = /** @type {HTMLInputElement} */ (byId('file'));

/**
 * Calls `see` with every picture and shows how long it took.
 * @param {readonly string[]} examples addresses of pictures to try
 * @param {(picture: Picture) => Promise<() => void>} see asks the model; what it returns shows the answer on the page
 *   after the picture has been drawn
 */
export function whileLooking(examples, see) {
  const camera = createCamera(see);
  const look = oneAtATime(async (/** @type {() => Promise<Blob>} */ open) => {
    camera.stop();
    const blob = await open();
    showBusy(true);
    const bitmap = await decode(blob);
    const show = await see(blob);
    draw(bitmap);
    show();
    bitmap.close();
    showBusy(false);
  });
  showPictures(examples, (address) => look(() => fetchPicture(address)));
  listenToFiles((file) => look(() => Promise.resolve(file)));
  cameraButton.hidden = !navigator.mediaDevices?.getUserMedia;
  cameraButton.addEventListener('click', () => (camera.isOn() ? camera.stop() : void camera.start()));
  const [first] = examples;
  if (first) look(() => fetchPicture(first));
  else {
    showPrompt('Choose a picture, drop one here or paste it.');
    showBusy(false);
  }
}

/**
 * The scale of what is drawn on the canvas.
 * @param {number} width of the picture @param {number} height
 */
function scaleOf(width, height) {
  const longest = Math.max(width, height);
  return Math.max(SMALLEST_SIDE, Math.min(LARGEST_SIDE, longest)) / longest;
}

/** @param {ImageBitmap} bitmap */
function draw(bitmap) {
  const scale = scaleOf(bitmap.width, bitmap.height);
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.dataset['scale'] = String(scale);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.hidden = false;
}

/** The canvas with the picture on it, to draw over. @returns {Shown} */
export function shownPicture() {
  return { canvas, scale: Number(canvas.dataset['scale'] ?? 1) };
}

/**
 * What is asked while another is looked at waits; of several the last.
 * @template Item @param {(item: Item) => Promise<void>} work @returns {(item: Item) => void}
 */
function oneAtATime(work) {
  /** @type {{ item: Item } | undefined} */
  let next;
  let working = false;
  return (item) => {
    next = { item };
    if (working) return;
    working = true;
    void (async () => {
      while (next) {
        const { item: current } = next;
        next = undefined;
        await work(current).catch(failWithoutPicture);
      }
      working = false;
    })();
  };
}

/** @param {unknown} error */
function failWithoutPicture(error) {
  canvas.hidden = true;
  document.querySelector('#scores, #ranking')?.replaceChildren();
  fail(error);
}

/** @param {string} address */
export async function fetchPicture(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} did not load (${response.status}).`);
  return response.blob();
}

/** @param {Blob} blob */
async function decode(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    const name = blob instanceof File ? blob.name : 'This';
    throw new Error(`${name} is not a picture that this browser can show.`);
  }
}

/** @param {readonly string[]} examples @param {(address: string) => void} choose */
function showPictures(examples, choose) {
  byId('examples').replaceChildren(
    ...examples.map((address, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      const name = element('span', `Picture ${i + 1}`);
      name.className = 'heard';
      button.append(Object.assign(document.createElement('img'), { src: address, alt: '' }), name);
      button.addEventListener('click', () => choose(address));
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
}

/** @param {(file: File) => void} take */
function listenToFiles(take) {
  const takeFirst = (/** @type {FileList | undefined} */ files) => {
    const file = files?.[0];
    if (file) take(file);
  };
  byId('choose').addEventListener('click', () => fileInput.click());
  fileInput.addEventListener('change', () => {
    takeFirst(fileInput.files ?? undefined);
    // The same file again is a choice too.
    fileInput.value = '';
  });
  document.addEventListener('paste', (event) => takeFirst(event.clipboardData?.files));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    takeFirst(event.dataTransfer?.files);
  });
}

/**
 * The camera: every frame is looked at as soon as the one before is answered.
 * @param {(picture: Picture) => Promise<() => void>} see
 */
function createCamera(see) {
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
  const frameTimes = createFrameTimes();
  /** @type {MediaStream | undefined} */
  let stream;
  let opening = false;
  const isOn = () => stream !== undefined || opening;

  const stop = () => {
    opening = false;
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
    cameraButton.textContent = 'Use the camera';
    byId('result').setAttribute('aria-live', 'polite');
  };
  const start = async () => {
    opening = true;
    cameraButton.textContent = 'Stop the camera';
    // A screen reader would read every frame's answer.
    byId('result').setAttribute('aria-live', 'off');
    showBusy(true);
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      stream = opened;
      if (!opening) return stop();
      video.srcObject = opened;
      await video.play();
      frameTimes.clear();
      while (stream === opened) await lookAtFrame();
    } catch (error) {
      stop();
      failWithoutPicture(new Error(cameraProblem(error)));
    }
  };
  const lookAtFrame = async () => {
    const frame = await createImageBitmap(video);
    const begin = performance.now();
    const show = await see(frame);
    if (stream) {
      draw(frame);
      show();
      frameTimes.add(performance.now() - begin);
      showBusy(false);
    }
    frame.close();
    await new Promise((resolve) => requestAnimationFrame(resolve));
  };
  return { isOn, start, stop };
}

/** @param {unknown} error */
function cameraProblem(error) {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') return 'The camera was refused. Choose a picture instead.';
  if (name === 'NotFoundError') return 'There is no camera here. Choose a picture instead.';
  if (name === 'NotReadableError') return 'The camera is used by another program.';
  return error instanceof Error ? error.message : String(error);
}
