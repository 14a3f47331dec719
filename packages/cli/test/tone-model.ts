import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseModel, writeOnnx } from '@edgewise/compiler';
import { seededRandom } from '@edgewise/test-utils';
import { waveBytes } from './odd-sounds.ts';

export const TONES = ['low', 'high'] as const;
/** Hertz. */
const FREQUENCY = { low: 300, high: 2000 } as const;

const RATE = 8000;
const SAMPLES = 4000;
const BANDS = 8;
const FRAMES = 14;
const LOUDNESS = 0.1;
const NOISE = 0.05;

/** Logits are the lower half of the bands over the upper one, and the other way round. */
const MODEL = `ir 8
opset ai.onnx 13
graph tones {
  input bands: float32[n,1,${FRAMES},${BANDS}]
  constant w: float32[2,1,1,${BANDS}] {1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1}
  c = Conv(bands, w) kernel_shape=[1, ${BANDS}]
  r = Relu(c)
  p = GlobalAveragePool(r)
  logits = Flatten(p) axis=1
  output logits: float32[n,2]
}`;

const CONFIG = {
  id2label: Object.fromEntries(TONES.entries()),
  edgewise: {
    audio: {
      sampleRate: RATE,
      samples: SAMPLES,
      features: {
        frameLength: 512,
        frameStep: 256,
        fftSize: 512,
        window: 'hann',
        spectrum: 'power',
        mel: { bands: BANDS, low: 100, high: 4000, scale: 'htk', triangles: 'hertz' },
        log: { base: 'e', floor: 1e-6, floorMode: 'max' },
        layout: 'frames-bands',
      },
    },
  },
};

/** Writes a model folder that tells low tones from high ones. */
export function writeToneModel(folder: string, config: object = CONFIG): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), writeOnnx(parseModel(MODEL)).bytes);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}

/** Samples of a period of the lower tone and more, for filters that answer to one of the tones. */
const TAPS = 32;

/** The same of raw samples of any length: a filter for each tone. */
const RAW_MODEL = `ir 8
opset ai.onnx 13
graph tones {
  input sound: float32[n,length]
  constant shape: int64[3] {0, 1, -1}
  constant w: float32[2,1,${TAPS}] {${TONES.flatMap((tone) =>
    Array.from({ length: TAPS }, (_, t) => Math.sin((2 * Math.PI * FREQUENCY[tone] * t) / RATE).toFixed(6)),
  ).join(', ')}}
  s = Reshape(sound, shape)
  c = Conv(s, w) kernel_shape=[${TAPS}]
  r = Relu(c)
  p = GlobalAveragePool(r)
  logits = Flatten(p) axis=1
  output logits: float32[n,2]
}`;

/** Writes a model folder of raw samples, as Hugging Face has wav2vec 2.0's. */
export function writeRawToneModel(folder: string, audio: object): void {
  mkdirSync(folder, { recursive: true });
  const files = {
    'config.json': { id2label: CONFIG.id2label, edgewise: { audio } },
    'preprocessor_config.json': {
      feature_extractor_type: 'Wav2Vec2FeatureExtractor',
      feature_size: 1,
      sampling_rate: RATE,
      padding_value: 0,
      do_normalize: true,
    },
  };
  writeFileSync(join(folder, 'model.onnx'), writeOnnx(parseModel(RAW_MODEL)).bytes);
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
}

/** Writes `count` noisy tones for each class, in a folder for each, at other rates than the model's, mono and stereo. */
export function writeTones(folder: string, count: number, seed: number): void {
  const random = seededRandom(seed);
  for (const tone of TONES) {
    mkdirSync(join(folder, tone), { recursive: true });
    for (let i = 0; i < count; i++) {
      const rate = random.pick([8000, 16_000, 44_100]);
      const length = Math.round((rate * random.int(3, 7)) / 10);
      const channel = random.normal(length, 0, NOISE).map((noise, t) => {
        const sine = Math.sin((2 * Math.PI * FREQUENCY[tone] * t) / rate);
        return Math.max(-1, Math.min(0.99, LOUDNESS * sine + noise));
      });
      const samples = i % 2 === 0 ? [channel] : [channel, channel];
      writeFileSync(join(folder, tone, `${i}.wav`), waveBytes({ form: '16', rate, samples }));
    }
  }
}
