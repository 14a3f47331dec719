import { seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { writeOnnx } from '../../src/import/onnx/index.ts';
import { float32Tensor, type Model } from '../../src/ir/index.ts';
import { needsFusing, sumOfBytes, type ByteGrids } from '../../src/targets/edge/kernels/sum-of-bytes.ts';
import { engineOutputs, onnxOutputs, parseGraph } from '../engine-graphs.ts';

// QLinearAdd and QLinearMul of all pairs of bytes: the bytes of onnxruntime (on x86 with AVX2), sums halfway between two bytes included.

const GRIDS_OF_EACH_KIND = 6;

it.each([
  ['QLinearAdd, products rounded', 'QLinearAdd', false],
  ['QLinearAdd, products in full', 'QLinearAdd', true],
  ['QLinearMul', 'QLinearMul', undefined],
] as const)('%s', async (_, operator, isFused) => {
  const random = seededRandom(7);
  for (let found = 0; found < GRIDS_OF_EACH_KIND;) {
    const grids = { a: randomGrid(random), b: randomGrid(random), output: randomGrid(random) };
    if (isFused !== undefined && needsFusing(sumOfBytes(grids)) !== isFused) continue;
    found += 1;
    const model = pairsModel(operator, grids);
    const expected = await onnxOutputs(writeOnnx(model).bytes, PAIRS);
    expect(await engineOutputs(model, PAIRS)).toEqual(expected);
  }
});

const PAIRS = new Map([
  [
    'x',
    float32Tensor(
      [1, 1, 256, 256],
      Float32Array.from({ length: 65_536 }, (_, index) => index >> 8),
    ),
  ],
  [
    'z',
    float32Tensor(
      [1, 1, 256, 256],
      Float32Array.from({ length: 65_536 }, (_, index) => index & 255),
    ),
  ],
]);

function randomGrid(random: SeededRandom): ByteGrids['a'] {
  return { scale: Math.fround(Math.exp(3 * random() - 5)), zeroPoint: random.int(0, 255) };
}

function pairsModel(operator: string, { a, b, output }: ByteGrids): Model {
  const grids = Object.entries({ a, b, y: output }).flatMap(([name, { scale, zeroPoint }]) => [
    `  constant s${name}: float32[] {${scale}}`,
    `  constant z${name}: uint8[] {${zeroPoint}}`,
  ]);
  return parseGraph(`
  input x: float32[1,1,256,256]
  input z: float32[1,1,256,256]
  constant one: float32[] {1}
  constant zero: uint8[] {0}
${grids.join('\n')}
  p = QuantizeLinear(x, one, zero)
  q = QuantizeLinear(z, one, zero)
  r = com.microsoft.${operator}(p, sa, za, q, sb, zb, sy, zy)
  y = DequantizeLinear(r, one, zero)
  output y: float32[1,1,256,256]`);
}
