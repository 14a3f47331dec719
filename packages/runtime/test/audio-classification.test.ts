import { readFileSync } from 'node:fs';
import { expectTensorClose, itWithAssets, sharedAsset } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import type { AudioInput } from '../src/format/index.ts';
import { load } from '../src/node/audio-classification.ts';
import { prepareAudio } from '../src/node/audio.ts';
import { createSession } from '../src/node/index.ts';
import {
  audioPackage,
  COMMANDS,
  csvLines,
  KEYWORD_FEATURES,
  readAsset,
  readCommands,
  readWav,
} from './audio-assets.ts';

const DSCNN = 'models/audio/mlperf_tiny_kws_dscnn.onnx';
const KWT = 'models/audio/kwt1_raw_audio.onnx';
const FEATURES = 'datasets/kws-mfcc-int8';
const TIMEOUT_MS = 120_000;

const task = 'audio-classification';
const keyword: AudioInput = { sampleRate: 16_000, samples: 16_000, gain: 'max', features: KEYWORD_FEATURES };
/** Features are kept as bytes: value = (byte − 83) × 0.5847029. */
const STEP = 0.5847029;
const ZERO = 83;
const RECORD = 490;

itWithAssets(
  'mlperf_tiny_kws_dscnn reaches the recorded baseline on its features: 629 of 689 (91.29 %)',
  [DSCNN, FEATURES],
  async () => {
    const session = await createSession(audioPackage(readAsset(DSCNN), { task }), { threads: 1 });
    const bytes = new Int8Array(readAsset(`${FEATURES}/features.i8.bin`));
    const gold = csvLines(`${FEATURES}/labels.csv`).map(([, index]) => Number(index));
    expect(bytes.length).toBe(gold.length * RECORD);
    let correct = 0;
    for (const [index, label] of gold.entries()) {
      const record = bytes.subarray(index * RECORD, (index + 1) * RECORD);
      const { probs } = await session.run({ input: Float32Array.from(record, (q) => (q - ZERO) * STEP) });
      const scores = Array.from(probs?.data ?? []);
      if (scores.indexOf(Math.max(...scores)) === label) correct++;
    }
    session.dispose();
    expect([correct, gold.length]).toEqual([629, 689]);
  },
  TIMEOUT_MS,
);

itWithAssets(
  'our front end computes the features of MLPerf Tiny’s data set',
  [COMMANDS, FEATURES],
  () => {
    const bytes = new Int8Array(readAsset(`${FEATURES}/features.i8.bin`));
    const records = new Map(csvLines(`${FEATURES}/labels.csv`).map(([id = ''], index) => [id, index]));
    let equal = 0;
    let values = 0;
    // The records up to number 50 were made otherwise than the rest: theirs differ by up to five steps.
    for (const { file } of readCommands().filter((clip) => !/tst_0000[0-4]/.test(clip.file))) {
      const id = file.replace(/.*\//, '').replace('.wav', '.bin');
      const index = records.get(id) as number;
      const { data } = prepareAudio(readWav(file), keyword);
      data.forEach((value, at) => {
        const byte = bytes[index * RECORD + at] as number;
        const scaled = value / STEP + ZERO;
        expect(Math.abs(scaled - 0.5 - byte)).toBeLessThan(1.5);
        values++;
        // The data set rounds down.
        if (Math.floor(scaled) === byte) equal++;
      });
    }
    expect(equal / values).toBeGreaterThan(0.98);
  },
  TIMEOUT_MS,
);

/** How many clips have their word first, of all. */
async function countCorrect(
  model: string,
  audio: AudioInput,
  labels: readonly string[],
  scores: 'logits' | 'probabilities',
): Promise<number[]> {
  const classify = await load(audioPackage(readAsset(model), { task, audio, labels, scores }), {
    threads: 1,
  });
  const commands = readCommands();
  const results = await classify(
    commands.map(({ file }) => readWav(file)),
    { topK: 1 },
  );
  classify.dispose();
  const correct = results.filter(([best], index) => best?.label === commands[index]?.label);
  return [correct.length, results.length];
}

itWithAssets(
  'kwt1_raw_audio reaches the recorded baseline: 226 of 250 (90.4 %)',
  [KWT, COMMANDS],
  async () => {
    const labels = '_silence_,_unknown_,yes,no,up,down,left,right,on,off,stop,go'.split(',');
    const audio = { sampleRate: 16_000, samples: 16_000 };
    expect(await countCorrect(KWT, audio, labels, 'logits')).toEqual([226, 250]);
  },
  TIMEOUT_MS,
);

itWithAssets(
  'mlperf_tiny_kws_dscnn on sound, through our front end, as with one in numpy: 232 of 250 (92.8 %)',
  [DSCNN, COMMANDS],
  async () => {
    const labels = readFileSync(sharedAsset(`${COMMANDS}/classes.txt`), 'utf8')
      .trimEnd()
      .split('\n');
    expect(await countCorrect(DSCNN, keyword, labels, 'probabilities')).toEqual([232, 250]);
  },
  TIMEOUT_MS,
);

describe('prepareAudio', () => {
  const audio: AudioInput = { sampleRate: 8000, samples: 4 };
  const samples = Float32Array.of(0.5, -1, 0.25);
  const prepare = (changes: Partial<AudioInput>, sound = { samples, sampleRate: 8000 }): number[] =>
    Array.from(prepareAudio(sound, { ...audio, ...changes }).data);

  it('pads with zeros, cuts at the end, scales', () => {
    expect(prepareAudio({ samples, sampleRate: 8000 }, audio)).toEqual({
      shape: [1, 4],
      data: Float32Array.of(0.5, -1, 0.25, 0),
    });
    expect(prepare({ samples: 2 })).toEqual([0.5, -1]);
    expect(prepare({ scale: 2, samples: 3 })).toEqual([1, -2, 0.5]);
  });

  it('divides by the largest sample of what the model hears, and leaves silence alone', () => {
    expect(prepare({ gain: 'max' })).toEqual([1, -2, 0.5, 0]);
    expect(prepare({ gain: 'max' }, { samples: Float32Array.of(-0.5, 0), sampleRate: 8000 })).toEqual([
      -0.5, 0, 0, 0,
    ]);
  });

  it('gives samples mean 0 and variance 1 before zeros are added', () => {
    // Of 0.5, −1, 0.25: mean −1/12, variance 31/72.
    const deviation = Math.sqrt(31 / 72 + 1e-7);
    const expected = [...samples].map((value) => (value + 1 / 12) / deviation);
    expectTensorClose(prepare({ gain: 'standard' }), [...expected, 0], { abs: 1e-6 });
    expectTensorClose(prepare({ gain: 'standard', samples: 1 }), [0]);
  });

  it('averages channels', () => {
    const stereo = { samples: [samples, Float32Array.of(1.5, 0, 0.25)], sampleRate: 8000 };
    expect(Array.from(prepareAudio(stereo, audio).data)).toEqual([1, -0.5, 0.25, 0]);
  });

  it('resamples to the model’s rate before it cuts', () => {
    const { data } = prepareAudio(
      { samples: new Float32Array(400).fill(0.5), sampleRate: 16_000 },
      { ...audio, samples: 300 },
    );
    expect(data[100]).toBeCloseTo(0.5, 2);
    expect(data[199]).not.toBe(0);
    expect(data[200]).toBe(0);
  });

  it.each([
    ['no samples', new Float32Array(0), 8000, 'the clip has no samples'],
    ['NaN', Float32Array.of(0, Number.NaN), 8000, 'sample 1 is NaN'],
    ['infinity', Float32Array.of(-Infinity), 8000, 'sample 0 is -Infinity'],
    ['integers', new Int16Array(4), 8000, 'divide 16-bit samples by 32768'],
    ['no channel', [], 8000, 'at least one channel'],
    ['channels of two lengths', [samples, samples.slice(1)], 8000, 'not 3 and 2 samples'],
    ['a rate of 0', samples, 0, 'sampleRate is a whole number of samples per second'],
    ['a fraction as the rate', samples, 44_100.5, 'not 44100.5'],
    ['no rate', samples, undefined, 'not undefined'],
  ])('refuses %s', (_, given, sampleRate, message) => {
    expect(() => prepareAudio({ samples: given, sampleRate } as never, audio)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(message) as string }),
    );
  });
});
