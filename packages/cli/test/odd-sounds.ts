/** Bits, and whether they hold integers or floats. */
export type SampleForm = keyof typeof SAMPLE_FORMS;

interface Form {
  readonly bits: number;
  readonly isFloat?: boolean;
  readonly write: (view: DataView, at: number, value: number) => void;
}

/** How a sample of −1…1 is written. */
export const SAMPLE_FORMS = {
  '8': { bits: 8, write: (view, at, value) => view.setUint8(at, 128 + value * 128) },
  '16': { bits: 16, write: (view, at, value) => view.setInt16(at, value * 2 ** 15, true) },
  '24': {
    bits: 24,
    write: (view, at, value) => {
      view.setUint8(at, 0);
      view.setInt16(at + 1, value * 2 ** 15, true);
    },
  },
  '32': { bits: 32, write: (view, at, value) => view.setInt32(at, value * 2 ** 31, true) },
  '32 float': { bits: 32, isFloat: true, write: (view, at, value) => view.setFloat32(at, value, true) },
  '64 float': { bits: 64, isFloat: true, write: (view, at, value) => view.setFloat64(at, value, true) },
} satisfies Record<string, Form>;

export interface Wave {
  readonly form: SampleForm;
  /** Samples per second. */
  readonly rate: number;
  /** By channel, −1…1, multiples of 1/128. */
  readonly samples: readonly Float32Array[];
  /** What the header claims of the data's bytes. Default: what is there. */
  readonly dataSize?: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xff_fe;
/** The rest of the identifier that tells the format of an extensible file, behind its number. */
const SUBFORMAT = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];
const SPEAKERS_5_1 = 0x3f;

/** The bytes of a WAV file; more than two channels, as Microsoft wants it, in the extensible form. */
export function waveBytes({ form, rate, samples, dataSize }: Wave): Uint8Array {
  const { bits, write, isFloat = false }: Form = SAMPLE_FORMS[form];
  const channels = samples.length;
  const length = samples[0]?.length ?? 0;
  const block = (channels * bits) / 8;
  const isExtensible = channels > 2;
  const formatSize = isExtensible ? 40 : 16;
  const start = 12 + 8 + formatSize + 8;
  const view = new DataView(new ArrayBuffer(start + length * block));
  const text = (at: number, value: string): void =>
    Buffer.from(value).forEach((byte, i) => view.setUint8(at + i, byte));
  const kind = isFloat ? FLOAT : PCM;
  text(0, 'RIFF');
  view.setUint32(4, view.byteLength - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, formatSize, true);
  view.setUint16(20, isExtensible ? EXTENSIBLE : kind, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, bits, true);
  if (isExtensible) {
    view.setUint16(36, 22, true);
    view.setUint16(38, bits, true);
    view.setUint32(40, SPEAKERS_5_1, true);
    view.setUint16(44, kind, true);
    SUBFORMAT.forEach((byte, i) => view.setUint8(46 + i, byte));
  }
  text(start - 8, 'data');
  view.setUint32(start - 4, dataSize ?? length * block, true);
  samples.forEach((channel, c) =>
    channel.forEach((value, i) => write(view, start + i * block + (c * bits) / 8, value)),
  );
  return new Uint8Array(view.buffer);
}
