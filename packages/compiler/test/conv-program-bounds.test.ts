import { itWithAssets, sharedAsset } from '@edgewise/test-utils';
import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import type { Model } from '../src/ir/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { ConstantStore } from '../src/targets/edge/weights/constant-store.ts';
import { compileEdge } from '../src/targets/edge/index.ts';
import { lowerModel } from '../src/targets/edge/lower/lower.ts';
import { planMemory } from '../src/targets/edge/plan/plan-memory.ts';
import type { Program } from '../src/targets/edge/program/program.ts';
import { rowReads, wholeReads, writes } from '../src/targets/edge/program/step-rows.ts';
import { scheduleSteps, type Level } from '../src/targets/edge/plan/schedule.ts';
import { valueBytes, type Value } from '../src/targets/edge/program/value.ts';
import { WeightsImage } from '../src/targets/edge/weights/weights-image.ts';
import { compactConvNet } from '../src/transforms/index.ts';

// What the programs of real convolutional networks may take: memory, and bytes to download.

const MODELS = [
  'vision/mobilenet_v2_1.0_224_deq',
  'vision/squeezenet_v1.0_deepcompressed',
  'vision/resnet32_cifar10',
  'vision/super_resolution_3x',
  'detection/yolox_nano',
  'detection/fastestdet',
  'detection/ultraface_rfb_320',
  'detection/yunet_n_320',
];

/** Of the bytes that are alive at the same time. */
const ARENA_SHARE = 1.15;
/** For the scratch of all threads, beyond weights and arena. */
const SCRATCH_BYTES = 16 * 2 ** 20;
/** Of both programs, compressed. */
const PROGRAM_BYTES = 40_000;

for (const name of MODELS) {
  const asset = `models/${name}.onnx`;
  itWithAssets(`${name}: memory and programs stay small`, asset, async () => {
    const original = readOnnx(readFileSync(sharedAsset(asset)));
    const { model } = await runPasses(original, compactConvNet());
    const { arenaBytes, liveBytes } = planOf(model);
    expect(arenaBytes).toBeLessThanOrEqual(ARENA_SHARE * liveBytes);

    const { model: edge, files } = compileEdge(model);
    const { bytes, perThreadBytes, maxThreads, weightsBytes } = edge.memory;
    const peak = bytes + (maxThreads - 1) * perThreadBytes;
    expect(peak).toBeLessThanOrEqual(weightsBytes + edge.memory.arenaBytes + SCRATCH_BYTES);

    const programs = Object.values(edge.programs).map((file) => files.get(file)!);
    const download = programs.reduce((sum, program) => sum + brotliCompressSync(program).length, 0);
    expect(download).toBeLessThanOrEqual(PROGRAM_BYTES);
  });
}

function planOf(model: Model): { arenaBytes: number; liveBytes: number } {
  const constants = new ConstantStore(model.graph, new WeightsImage(0));
  const program = lowerModel(model, { maxSequence: 1, constants });
  const levels = scheduleSteps(program.steps);
  const plan = planMemory(program, levels, { arenaStart: 0, blockRows: 120, kernelScratchBytes: 0 });
  const isWhole = (value: Value): boolean => plan.places.get(value)!.space === 'arena';
  return { arenaBytes: plan.arenaBytes, liveBytes: largestLiveSet(program, levels, isWhole) };
}

/** Bytes of the whole values that are alive in the same level, where that is most. */
function largestLiveSet(
  { inputs, outputs }: Program,
  levels: readonly Level[],
  isWhole: (value: Value) => boolean,
): number {
  const lives = new Map<Value, { first: number; last: number }>();
  const touch = (value: Value, level: number): void => {
    const life = lives.get(value) ?? { first: level, last: level };
    lives.set(value, { first: Math.min(life.first, level), last: Math.max(life.last, level) });
  };
  for (const { value } of inputs) touch(value, 0);
  levels.forEach((level, index) => {
    for (const step of level.flatMap(({ steps }) => steps))
      for (const value of [...writes(step), ...rowReads(step), ...wholeReads(step)]) touch(value, index);
  });
  for (const { value } of outputs) touch(value, levels.length);
  const sizes = Array.from({ length: levels.length + 1 }, (_, level) => {
    const alive = [...lives].filter(
      ([value, { first, last }]) => isWhole(value) && first <= level && level <= last,
    );
    return alive.reduce((sum, [value]) => sum + valueBytes(value, value.rows as number), 0);
  });
  return Math.max(...sizes);
}
