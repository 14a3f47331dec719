import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseModel, writeOnnx } from '@edgewise/compiler';
import { seededRandom, type SeededRandom } from '@edgewise/test-utils';
import sharp from 'sharp';

export const COLORS = ['red', 'green', 'blue'] as const;
type Color = (typeof COLORS)[number];

const SIDE = 16;
/** Half a picture's noise, of 255. */
const NOISE = 60;

/** Logits are the differences of the channels' means: the brightest channel is the class. */
const MODEL = `ir 8
opset ai.onnx 13
graph colors {
  input image: float32[n,3,${SIDE},${SIDE}]
  constant w: float32[3,3,1,1] {4, -1, -1, -1, 4, -1, -1, -1, 4}
  constant b: float32[3] {0.1, 0.2, 0.3}
  c = Conv(image, w, b) kernel_shape=[1, 1]
  r = Relu(c)
  p = GlobalAveragePool(r)
  logits = Flatten(p) axis=1
  output logits: float32[n,3]
}`;

/** The logits of the first model as the difference of two numbers that are some thousand times as large: 8 bits of those are too coarse. */
const CANCELLING_MODEL = `ir 8
opset ai.onnx 13
graph colors {
  input image: float32[n,3,${SIDE},${SIDE}]
  constant w1: float32[3,3,1,1] {9000, 5000, -7000, 8000, -6000, 4000, -5000, 7000, 6000}
  constant w2: float32[3,3,1,1] {-8996, -5001, 6999, -8001, 6004, -4001, 4999, -7001, -5996}
  constant w3: float32[3,3,1,1] {1, 0, 0, 0, 1, 0, 0, 0, 1}
  c1 = Conv(image, w1) kernel_shape=[1, 1]
  c2 = Conv(image, w2) kernel_shape=[1, 1]
  s = Add(c1, c2)
  r = Relu(s)
  c3 = Conv(r, w3) kernel_shape=[1, 1]
  p = GlobalAveragePool(c3)
  logits = Flatten(p) axis=1
  output logits: float32[n,3]
}`;

/** The same as onnxruntime's quantize_static writes it: int8 weights and activations between QuantizeLinear and DequantizeLinear. */
const QUANTIZED_MODEL = `ir 8
opset ai.onnx 13
graph colors {
  input image: float32[n,3,${SIDE},${SIDE}]
  constant sx: float32[] {0.02}
  constant zx: int8[] {-2}
  constant sw: float32[] {0.04}
  constant zw: int8[] {0}
  constant w: int8[3,3,1,1] {100, -25, -25, -25, 100, -25, -25, -25, 100}
  constant sb: float32[] {0.0008}
  constant zb: int32[] {0}
  constant b: int32[3] {125, 250, 375}
  constant sy: float32[] {0.05}
  constant zy: int8[] {-128}
  xq = QuantizeLinear(image, sx, zx)
  xf = DequantizeLinear(xq, sx, zx)
  wf = DequantizeLinear(w, sw, zw)
  bf = DequantizeLinear(b, sb, zb)
  c = Conv(xf, wf, bf) kernel_shape=[1, 1]
  r = Relu(c)
  rq = QuantizeLinear(r, sy, zy)
  rf = DequantizeLinear(rq, sy, zy)
  p = GlobalAveragePool(rf)
  logits = Flatten(p) axis=1
  output logits: float32[n,3]
}`;

const FILES: Readonly<Record<string, object>> = {
  'config.json': { id2label: Object.fromEntries(COLORS.entries()) },
  'preprocessor_config.json': {
    size: { height: SIDE, width: SIDE },
    resample: 2,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.25, 0.25, 0.25],
  },
};

/**
 * Writes a model folder that tells the colour of a picture.
 * @param files JSON by name, instead of the usual ones
 */
export function writeColorModel(folder: string, files: Readonly<Record<string, object>> = {}): void {
  writeModel(folder, MODEL, files);
}

/** The same, with two layers that 8 bits are too few for. */
export function writeCancellingColorModel(folder: string): void {
  writeModel(folder, CANCELLING_MODEL, {});
}

/** The same, quantized already. */
export function writeQuantizedColorModel(folder: string): void {
  writeModel(folder, QUANTIZED_MODEL, {});
}

function writeModel(folder: string, model: string, files: Readonly<Record<string, object>>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), writeOnnx(parseModel(model)).bytes);
  for (const [name, value] of Object.entries({ ...FILES, ...files }))
    writeFileSync(join(folder, name), JSON.stringify(value));
}

/** Writes `count` noisy pictures for each colour, in a folder for each; some are hard to tell. */
export async function writeColorPictures(folder: string, count: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  for (const color of COLORS) {
    mkdirSync(join(folder, color), { recursive: true });
    for (let i = 0; i < count; i++) await writePicture(join(folder, color, `${i}.png`), color, random);
  }
}

async function writePicture(path: string, color: Color, random: SeededRandom): Promise<void> {
  const [width, height] = [random.int(20, 49), random.int(20, 49)];
  const base = COLORS.map((each) => (each === color ? 135 : 120));
  const noise = random.uniform(width * height * 3, -NOISE, NOISE);
  const data = Uint8Array.from(noise, (value, i) => Math.round((base[i % 3] ?? 0) + value));
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
}
