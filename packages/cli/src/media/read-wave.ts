import type { RawAudio } from '@edgewise/runtime/audio';

type ReadSample = (view: DataView, at: number) => number;

/** How samples are stored, by the bytes of one; −1…1 comes out. */
const INTEGERS: Readonly<Record<number, ReadSample>> = {
  // Eight bits are unsigned.
  1: (view, at) => (view.getUint8(at) - 2 ** 7) / 2 ** 7,
  2: (view, at) => view.getInt16(at, true) / 2 ** 15,
  3: (view, at) => (view.getInt16(at + 1, true) * 2 ** 8 + view.getUint8(at)) / 2 ** 23,
  4: (view, at) => view.getInt32(at, true) / 2 ** 31,
};
const FLOATS: Readonly<Record<number, ReadSample>> = {
  4: (view, at) => view.getFloat32(at, true),
  8: (view, at) => view.getFloat64(at, true),
};

/** The numbers of the formats that hold plain samples; an extensible one has the number further behind. */
const READERS: Readonly<Record<number, Readonly<Record<number, ReadSample>>>> = { 1: INTEGERS, 3: FLOATS };
const EXTENSIBLE = 0xff_fe;

/** What programs that write to a pipe put for a size that they cannot know yet: all that follows. */
const UNKNOWN_SIZE = 0xff_ff_ff_ff;

/**
 * Reads a WAV file ("Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft 1991; "Multiple Channel
 * Audio Data and WAVE Files", Microsoft 2001).
 * @throws Error saying what is wrong with the file
 */
export function readWave(bytes: Uint8Array): RawAudio {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (textAt(file, 0) !== 'RIFF' || textAt(file, 8) !== 'WAVE') throw new Error('it is no WAV file');
  const { channels, sampleRate, blockBytes, read } = readFormat(findChunk(file, 'fmt '));
  const data = findChunk(file, 'data');
  const length = Math.floor(data.byteLength / blockBytes);
  if (length === 0) throw new Error('it has no samples');
  const samples = Array.from({ length: channels }, (_, channel) => {
    const start = (channel * blockBytes) / channels;
    return new Float32Array(length).map((__, index) => read(data, index * blockBytes + start));
  });
  samples.forEach(checkFinite);
  return { samples, sampleRate };
}

interface Format {
  readonly channels: number;
  /** Samples per second and channel. */
  readonly sampleRate: number;
  /** Bytes of one sample of all channels. */
  readonly blockBytes: number;
  readonly read: ReadSample;
}

function readFormat(chunk: DataView): Format {
  if (chunk.byteLength < 16) throw new Error(`its format has ${chunk.byteLength} bytes, not 16 or more`);
  const named = chunk.getUint16(0, true);
  const kind = named === EXTENSIBLE && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : named;
  const channels = chunk.getUint16(2, true);
  const sampleRate = chunk.getUint32(4, true);
  const blockBytes = chunk.getUint16(12, true);
  const read = READERS[kind]?.[blockBytes / channels];
  if (sampleRate === 0) throw new Error('it has no samples per second');
  if (read) return { channels, sampleRate, blockBytes, read };
  throw new Error(
    `samples of format ${kind} with ${blockBytes} bytes for ${channels} channels are not known`,
  );
}

/** The bytes of the first chunk of that name. */
function findChunk(file: DataView, name: string): DataView {
  for (let at = 12; at + 8 <= file.byteLength;) {
    const size = file.getUint32(at + 4, true);
    const start = at + 8;
    const there = Math.min(size, file.byteLength - start);
    if (textAt(file, at) === name) {
      if (there < size && size !== UNKNOWN_SIZE)
        throw new Error(`it is cut off: ${there} of ${size} bytes of "${name}" are there`);
      return new DataView(file.buffer, file.byteOffset + start, there);
    }
    // Chunks begin at even places.
    at = start + size + (size % 2);
  }
  throw new Error(`it has no chunk "${name}"`);
}

/** Four letters; fewer at the end of the file. */
function textAt({ buffer, byteOffset, byteLength }: DataView, at: number): string {
  return String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength).subarray(at, at + 4));
}

function checkFinite(channel: Float32Array, index: number): void {
  const wrong = channel.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new Error(`sample ${wrong} of channel ${index + 1} is ${channel[wrong]}`);
}
