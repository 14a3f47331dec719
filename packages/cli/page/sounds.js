// What the pages of sound models share: sound from a file, dropped, or from the microphone.
import { byId, fail, showBusy, showPrompt } from './page.js';

/** The microphone's sound is asked about so often. */
const LISTEN_EVERY_MS = 100;
/** Samples per second that files are decoded at; the runtime brings them to the model's rate. */
const FILE_RATE = 48_000;

/** @typedef {AudioBuffer | { samples: Float32Array, sampleRate: number }} Sound what the model is given */

const microphoneButton = byId('microphone');
const fileInput = /** @type {HTMLInputElement} */ (byId('file'));

const microphone = createMicrophone();

/**
 * Calls `see` with every sound that is chosen, and with the microphone's last seconds.
 * @param {number | undefined} seconds of the microphone's sound that the model is given at a time; undefined where
 *   `whileStreaming` takes the microphone
 * @param {(sound: Sound) => Promise<() => void>} see asks the model; what it returns shows the answer on the page
 */
export function whileListening(seconds, see) {
  const listen = async (/** @type {File} */ file) => {
    microphone.stop();
    showBusy(true);
    try {
      (await see(await decode(file)))();
      showBusy(false);
    } catch (error) {
      failWithoutAnswer(error);
    }
  };
  listenToFiles((file) => void listen(file));
  if (seconds !== undefined) {
    whileStreaming((sampleRate) => {
      const kept = new Float32Array(Math.round(seconds * sampleRate));
      return async (samples) => {
        const fresh = samples.subarray(-kept.length);
        kept.copyWithin(0, fresh.length);
        kept.set(fresh, kept.length - fresh.length);
        (await see({ samples: kept.slice(), sampleRate }))();
      };
    });
  }
  showPrompt('Choose a sound, drop one here or use the microphone.');
  showBusy(false);
}

/**
 * Hands over what the microphone has heard since the last time, as soon as that has been answered.
 * @param {(sampleRate: number) => (samples: Float32Array) => Promise<void>} open called when the microphone is switched on
 */
export function whileStreaming(open) {
  microphoneButton.hidden = !navigator.mediaDevices?.getUserMedia;
  microphoneButton.addEventListener('click', () =>
    microphone.isOn() ? microphone.stop() : void microphone.start(open),
  );
}

/** @param {unknown} error */
function failWithoutAnswer(error) {
  document.getElementById('scores')?.replaceChildren();
  fail(error);
}

/** @param {File} file */
async function decode(file) {
  try {
    return await new OfflineAudioContext(1, 1, FILE_RATE).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is not a sound that this browser can play.`);
  }
}

/** @param {(file: File) => void} take */
function listenToFiles(take) {
  const takeFirst = (/** @type {FileList | null | undefined} */ files) => {
    const file = files?.[0];
    if (file) take(file);
  };
  byId('choose').addEventListener('click', () => fileInput.click());
  fileInput.addEventListener('change', () => {
    takeFirst(fileInput.files);
    // The same file again is a choice too.
    fileInput.value = '';
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    takeFirst(event.dataTransfer?.files);
  });
}

function createMicrophone() {
  /** @type {MediaStream | undefined} */
  let stream;
  /** @type {AudioContext | undefined} */
  let context;
  let opening = false;
  const isOn = () => stream !== undefined || opening;

  const stop = () => {
    opening = false;
    for (const track of stream?.getTracks() ?? []) track.stop();
    void context?.close();
    stream = undefined;
    context = undefined;
    microphoneButton.textContent = 'Use the microphone';
    byId('result').setAttribute('aria-live', 'polite');
  };
  const start = async (/** @type {Parameters<typeof whileStreaming>[0]} */ open) => {
    opening = true;
    microphoneButton.textContent = 'Stop the microphone';
    // A screen reader would read every answer.
    byId('result').setAttribute('aria-live', 'off');
    showBusy(true);
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ audio: true });
      stream = opened;
      if (!opening) return stop();
      context = new AudioContext();
      const hear = open(context.sampleRate);
      const takeHeard = await record(context, opened);
      while (stream === opened) {
        await hear(takeHeard());
        showBusy(false);
        await new Promise((resolve) => setTimeout(resolve, LISTEN_EVERY_MS));
      }
    } catch (error) {
      stop();
      failWithoutAnswer(new Error(microphoneProblem(error)));
    }
  };
  return { isOn, start, stop };
}

/**
 * Gives what has been heard since it was last asked.
 * @param {AudioContext} context @param {MediaStream} stream @returns {Promise<() => Float32Array>}
 */
async function record(context, stream) {
  await context.audioWorklet.addModule('./microphone-worklet.js');
  const recorder = new AudioWorkletNode(context, 'microphone');
  /** @type {Float32Array[]} */
  let heard = [];
  recorder.port.onmessage = ({ data }) => heard.push(data);
  context.createMediaStreamSource(stream).connect(recorder);
  return () => {
    const all = new Float32Array(heard.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of heard) {
      all.set(chunk, at);
      at += chunk.length;
    }
    heard = [];
    return all;
  };
}

/** @param {unknown} error */
function microphoneProblem(error) {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') return 'The microphone was refused. Choose a sound instead.';
  if (name === 'NotFoundError') return 'There is no microphone here. Choose a sound instead.';
  return error instanceof Error ? error.message : String(error);
}
