import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareAudio, type RawAudio } from '@edgewise/runtime/audio';
import type { AudioInput } from '@edgewise/runtime/format';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSound } from '../src/media/decode-sound.ts';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { SAMPLE_FORMS, waveBytes, type SampleForm } from './odd-sounds.ts';
import { runCli, type CliResult } from './run-cli.ts';
import { TONES, writeToneModel } from './tone-model.ts';

const RATES = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000];
/** Hertz; tone-model.ts tells them apart. */
const FREQUENCY = { low: 300, high: 2000 } as const;

let folder = '';
const inFolder = (...names: readonly string[]): string => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-odd-sounds-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Numbers that every form of samples holds exactly. */
function noise(length: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => random.int(-128, 127) / 128);
}

function tone(frequency: number, rate: number, seconds: number): Float32Array {
  const swing = Float32Array.from({ length: Math.round(rate * seconds) });
  return swing.map((_, i) => Math.round(64 * Math.sin((2 * Math.PI * frequency * i) / rate)) / 128);
}

describe('odd sounds are decoded to what their plain form is', () => {
  const cases = (Object.keys(SAMPLE_FORMS) as SampleForm[]).flatMap((form) =>
    [1, 2, 6].map((channels) => ({ form, channels })),
  );
  it.each(cases)('$form, $channels channels', async ({ form, channels }) => {
    const samples = Array.from({ length: channels }, (_, channel) => noise(501, channel + 1));
    writeFileSync(inFolder('sound.wav'), waveBytes({ form, rate: 16_000, samples }));
    const decoded = await decodeSound(inFolder('sound.wav'));
    expect(decoded.sampleRate).toBe(16_000);
    expect(decoded.samples).toHaveLength(channels);
    samples.forEach((channel, i) =>
      expectTensorClose(decoded.samples[i] as Float32Array, channel, { label: `channel ${i}`, seed: i + 1 }),
    );
  });

  it.each(RATES)('%i Hz', async (rate) => {
    const audio: AudioInput = { sampleRate: 16_000, samples: 4000 };
    const sound: RawAudio = { samples: tone(1000, rate, 0.25), sampleRate: rate };
    writeFileSync(
      inFolder('rate.wav'),
      waveBytes({ form: '16', rate, samples: [sound.samples as Float32Array] }),
    );
    const { data } = prepareAudio(await decodeSound(inFolder('rate.wav')), audio);
    expectTensorClose(data, prepareAudio(sound, audio).data);
    // Behind the edges, where there is silence before and after, it is the sine of 16 kHz again but for its rounding.
    const expected = tone(1000, 16_000, 0.25);
    expectTensorClose(data.subarray(100, 3900), expected.subarray(100, 3900), { abs: 0.02 });
  });

  it('a size that the writer did not know, as from a pipe', async () => {
    const samples = [noise(100, 3)];
    const bytes = waveBytes({ form: '16', rate: 8000, samples, dataSize: 0xff_ff_ff_ff });
    writeFileSync(inFolder('piped.wav'), bytes);
    expectTensorClose((await decodeSound(inFolder('piped.wav'))).samples[0] as Float32Array, samples[0]!);
  });
});

describe('edgewise with odd sounds', () => {
  const optimize = (data: string, out: string): string[] => {
    const fixed = ['--task', 'audio-classification', '--target', 'node', '--cache', inFolder('cache')];
    return ['optimize', inFolder('tones'), '--data', inFolder(data), ...fixed, '--out', inFolder(out)];
  };
  let made: CliResult;
  beforeAll(async () => {
    writeToneModel(inFolder('tones'));
    for (const name of TONES) {
      mkdirSync(inFolder('data', name), { recursive: true });
      for (const [i, form] of (Object.keys(SAMPLE_FORMS) as SampleForm[]).entries()) {
        const rate = RATES[i % RATES.length]!;
        const samples = Array.from({ length: [1, 2, 6][i % 3]! }, () => tone(FREQUENCY[name], rate, 0.6));
        writeFileSync(inFolder('data', name, `${form}.wav`), waveBytes({ form, rate, samples }));
      }
    }
    made = await runCli(...optimize('data', 'out'));
  }, 60_000);

  it('optimize measures on all of them', () => {
    expect(made).toMatchObject({ code: 0 });
    const report = JSON.parse(readFileSync(inFolder('out', 'report.json'), 'utf8')) as OptimizeReport;
    expect(report.data.examples).toBe(TONES.length * Object.keys(SAMPLE_FORMS).length);
    expect(report.candidates.map(({ metric }) => metric.value)).toEqual([1]);
  });

  const good = waveBytes({ form: '16', rate: 8000, samples: [noise(400, 5)] });
  const compressed = good.slice();
  compressed[20] = 85; // MP3
  const floats = (...values: number[]): Uint8Array =>
    waveBytes({ form: '32 float', rate: 8000, samples: [Float32Array.from(values)] });

  it.each<[string, Uint8Array, string]>([
    ['nothing.wav', new Uint8Array(), 'it is no WAV file'],
    ['text.wav', Buffer.from('This is a text.\n'), 'it is no WAV file'],
    ['riff.wav', good.subarray(0, 9), 'it is no WAV file'],
    ['header.wav', good.subarray(0, 24), 'it is cut off: 4 of 16 bytes of "fmt " are there'],
    ['no-data.wav', good.subarray(0, 36), 'it has no chunk "data"'],
    ['cut.wav', good.subarray(0, 300), 'it is cut off: 256 of 800 bytes of "data" are there'],
    ['silent.wav', waveBytes({ form: '16', rate: 8000, samples: [new Float32Array()] }), 'it has no samples'],
    ['nan.wav', floats(0, 0.5, NaN), 'sample 2 of channel 1 is NaN'],
    ['infinite.wav', floats(0, -Infinity), 'sample 1 of channel 1 is -Infinity'],
    ['compressed.wav', compressed, 'samples of format 85 with 2 bytes for 1 channels are not known'],
    [
      'no-channels.wav',
      waveBytes({ form: '16', rate: 8000, samples: [] }),
      'samples of format 1 with 0 bytes for 0 channels are not known',
    ],
    [
      'no-rate.wav',
      waveBytes({ form: '16', rate: 0, samples: [noise(400, 5)] }),
      'it has no samples per second',
    ],
  ])('run and optimize name %s', async (name, bytes, why) => {
    mkdirSync(inFolder(name, 'low'), { recursive: true });
    const path = inFolder(name, 'low', name);
    writeFileSync(path, bytes);
    for (const args of [['run', inFolder('out'), '--audio', path], optimize(name, 'none')]) {
      const { code, stderr } = await runCli(...args);
      expect(stderr).toContain(`error: ${path} cannot be read as a sound: ${why}`);
      expect(stderr).toContain('WAV files of integers or floats are');
      expect(code).toBe(2);
    }
    expect(readdirSync(folder)).not.toContain('none');
  });
});
