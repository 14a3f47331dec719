import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildPackage,
  compactConvNet,
  compileEdge,
  convNetValues,
  expandEdgewise,
  float32Tensor,
  observeConvNet,
  quantizeConvNet,
  readOnnx,
  runPasses,
  separateActivations,
  typedData,
  writeOnnx,
  type ConvNetStatistics,
  type DenseTensor,
  type Model,
  type PackageDescription,
} from '@edgewise/compiler';
import { repoRoot } from '@edgewise/test-utils';
import type { DetectionHead, ImagePreprocessing } from '../src/format/index.ts';
import { prepareImage } from '../src/node/image.ts';
import { createSession } from '../src/node/index.ts';
import { readImageFile } from './image-assets.ts';

/** A network of models/ that takes images, with what its configuration says. */
export interface DemoNetwork {
  readonly folder: string;
  readonly bytes: Uint8Array;
  readonly description: PackageDescription & {
    readonly labels: readonly string[];
    readonly preprocessing: ImagePreprocessing;
  };
}

interface PreprocessorConfig {
  readonly size: { readonly width: number; readonly height: number };
  readonly resample: number;
  readonly rescale_factor: number;
  readonly do_normalize: boolean;
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
}

/** Enough for the bounds of the tests; the cards' figures were measured with all. */
const CALIBRATION_IMAGES = 16;

/** Pillow's number of `bilinear`, the one that both networks use. */
const BILINEAR = 2;

export function readDemoNetwork(name: 'vision' | 'detection'): DemoNetwork {
  const folder = join(repoRoot, 'models', name);
  const config = readJson<{
    readonly id2label: Readonly<Record<string, string>>;
    readonly edgewise?: { readonly detection: DetectionHead };
  }>(join(folder, 'config.json'));
  const detection = config.edgewise?.detection;
  return {
    folder,
    bytes: readFileSync(join(folder, 'model.onnx')),
    description: {
      name,
      task: detection ? 'object-detection' : 'image-classification',
      labels: Object.values(config.id2label),
      preprocessing: preprocessingOf(readJson(join(folder, 'preprocessor_config.json'))),
      ...(detection && { detection }),
    },
  };
}

function preprocessingOf(config: PreprocessorConfig): ImagePreprocessing {
  if (config.resample !== BILINEAR) throw new Error(`resample is ${config.resample}`);
  return {
    width: config.size.width,
    height: config.size.height,
    fit: { mode: 'stretch' },
    resample: 'bilinear',
    channels: 'RGB',
    layout: 'NCHW',
    dtype: 'float32',
    scale: config.rescale_factor,
    ...(config.do_normalize && { mean: config.image_mean, std: config.image_std }),
  };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** Paths of the files of a folder that are images, sorted. */
export function listImageFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(png|jpg)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** A package that onnxruntime runs, of an ONNX file or of a graph that is expanded to standard operators. */
export async function onnxPackage(
  description: PackageDescription,
  model: Uint8Array | Model,
): Promise<Map<string, Uint8Array>> {
  const bytes = model instanceof Uint8Array ? model : writeOnnx(expandEdgewise(model)).bytes;
  const file = 'model.onnx';
  return buildPackage({ description, model: { kind: 'onnx', file }, files: new Map([[file, bytes]]) });
}

/** A package that our engine runs. */
export async function edgePackage(
  description: PackageDescription,
  model: Model,
): Promise<Map<string, Uint8Array>> {
  return buildPackage({ description, ...compileEdge(model) });
}

/** The compact float graph. */
export async function compactNetwork({ bytes }: DemoNetwork): Promise<Model> {
  const { model, diagnostics } = await runPasses(readOnnx(bytes), compactConvNet());
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => message).join());
  return model;
}

/** Static int8, calibrated on the first images of `calibration/`. */
export async function quantizeNetwork(network: DemoNetwork): Promise<Model> {
  const { model } = await runPasses(await compactNetwork(network), [separateActivations()]);
  const statistics = await observe(model, network);
  const { model: quantized, diagnostics } = await runPasses(model, [quantizeConvNet({ statistics })]);
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ message }) => message).join());
  return quantized;
}

/** Ranges and means of a graph's values, computed by onnxruntime. */
async function observe(model: Model, { folder, description }: DemoNetwork): Promise<ConvNetStatistics> {
  const input = model.graph.inputs[0]?.name ?? '';
  const inner = convNetValues(model).filter((value) => value !== input);
  const tapped = expandEdgewise(model);
  tapped.graph.outputs = inner.map((name) => ({ name, type: { kind: 'tensor', dtype: 'float32' } }));
  const session = await createSession(await onnxPackage(description, writeOnnx(tapped).bytes));
  const samples = listImageFiles(join(folder, 'calibration'))
    .slice(0, CALIBRATION_IMAGES)
    .map(async (path) => {
      const prepared = (await prepareImage(await readImageFile(path), description.preprocessing)).input;
      return new Map([[input, float32Tensor(prepared.shape, prepared.data)]]);
    });
  try {
    return await observeConvNet(
      model,
      async (sample, _want, emit) => {
        const image = sample.get(input) as DenseTensor;
        emit(input, image);
        const outputs = await session.run({ [input]: typedData(image) as Float32Array });
        for (const [name, { shape, data }] of Object.entries(outputs)) emit(name, float32Tensor(shape, data));
      },
      await Promise.all(samples),
    );
  } finally {
    session.dispose();
  }
}
