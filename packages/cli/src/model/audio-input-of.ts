import type { AudioInput } from '@edgewise/runtime/format';
import { UsageError } from '../command/usage-error.ts';
import type { Json } from './config-json.ts';

/** Of a model that takes Hugging Face's features of sound. */
export interface AudioProcessor {
  /** preprocessor_config.json. */
  readonly processor: Json;
  /** Its path, for messages. */
  readonly file: string;
  /** Samples of a clip, where the model or config.json says it. */
  readonly samples: number | undefined;
}

/** By `feature_extractor_type`. */
const EXTRACTORS: Readonly<Record<string, (given: AudioProcessor) => AudioInput>> = {
  Wav2Vec2FeatureExtractor: rawSamples,
  WhisperFeatureExtractor: whisperFeatures,
  ASTFeatureExtractor: ({ file }) => {
    throw new UsageError(
      `${file}: ASTFeatureExtractor takes Kaldi's filter banks (frames without their mean, pre-emphasis), which packages do not compute.`,
      'Export the model with them in its graph, from raw samples on.',
    );
  },
};

/** Decades below the loudest of a clip that Whisper's features keep, and what they are shifted and divided by. */
const WHISPER = { range: 8, mean: -4, std: 4, floor: 1e-10, layout: 'bands-frames' } as const;

/**
 * How sound becomes the model's input, by a Hugging Face `preprocessor_config.json`: raw samples (wav2vec 2.0, HuBERT, WavLM:
 * `sampling_rate`, `do_normalize`) or Whisper's spectrogram (`feature_size`, `hop_length`, `n_fft`, `chunk_length`).
 * @throws UsageError naming the field that is missing or cannot be followed
 */
export function audioInputOf(given: AudioProcessor): AudioInput {
  const { processor, file } = given;
  const type = processor['feature_extractor_type'];
  const extractor =
    typeof type === 'string' && Object.hasOwn(EXTRACTORS, type) ? EXTRACTORS[type] : undefined;
  if (extractor) return extractor(given);
  throw new UsageError(
    `${file}: feature_extractor_type ${JSON.stringify(type)} is not known.`,
    'Wav2Vec2FeatureExtractor and WhisperFeatureExtractor are; write others as "edgewise": { "audio": … } in config.json, with the fields of docs/package-format.md.',
  );
}

/** `Wav2Vec2FeatureExtractor`: the samples, with mean 0 and variance 1 unless `do_normalize` is false. */
function rawSamples({ processor, file, samples }: AudioProcessor): AudioInput {
  only(processor, file, 'feature_size', 1);
  only(processor, file, 'padding_value', 0);
  if (samples === undefined)
    throw new UsageError(
      `${file} does not say how long clips are, and the model takes any.`,
      'Add "edgewise": { "audio": { "samples": 16000 } } to config.json for a second at 16 kHz, say.',
    );
  const sampleRate = numberOr(processor['sampling_rate'], 16_000);
  return { sampleRate, samples, ...(processor['do_normalize'] === false ? {} : { gain: 'standard' }) };
}

/** `WhisperFeatureExtractor`: a mel spectrogram in decades, its last frame dropped. */
function whisperFeatures({ processor, file }: AudioProcessor): AudioInput {
  only(processor, file, 'padding_value', 0);
  only(processor, file, 'dither', 0);
  const sampleRate = numberOr(processor['sampling_rate'], 16_000);
  const fftSize = numberOr(processor['n_fft'], 400);
  const frameStep = numberOr(processor['hop_length'], 160);
  const samples = numberOr(processor['chunk_length'], 30) * sampleRate;
  const { range, mean, std, floor, layout } = WHISPER;
  return {
    sampleRate,
    samples,
    features: {
      frameLength: fftSize,
      frameStep,
      fftSize,
      window: 'hann',
      padding: 'reflect',
      spectrum: 'power',
      mel: {
        bands: numberOr(processor['feature_size'], 80),
        low: 0,
        high: 8000,
        scale: 'slaney',
        triangles: 'hertz',
        normalization: 'area',
      },
      log: { base: '10', floor, floorMode: 'max' },
      frames: Math.floor(samples / frameStep),
      range,
      mean,
      std,
      layout,
    },
  };
}

/** @throws UsageError when the field is there and something else than the only value that can be followed */
function only(processor: Json, file: string, field: string, value: number): void {
  if ((processor[field] ?? value) !== value)
    throw new UsageError(
      `${file}: ${field} ${JSON.stringify(processor[field])} cannot be followed, only ${value}.`,
    );
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
