const HEADER_BYTES = 44;
const FLOAT_FORMAT = 3;
const FLOAT_BYTES = 4;

/** A WAV file of one channel, 32-bit floats. */
export function writeWave(samples: Float32Array, sampleRate: number): Uint8Array {
  const dataBytes = FLOAT_BYTES * samples.length;
  const file = Buffer.alloc(HEADER_BYTES + dataBytes);
  file.write('RIFF');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(FLOAT_FORMAT, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(FLOAT_BYTES * sampleRate, 28);
  file.writeUInt16LE(FLOAT_BYTES, 32);
  file.writeUInt16LE(8 * FLOAT_BYTES, 34);
  file.write('data', 36);
  file.writeUInt32LE(dataBytes, 40);
  samples.forEach((sample, index) => file.writeFloatLE(sample, HEADER_BYTES + FLOAT_BYTES * index));
  return file;
}
