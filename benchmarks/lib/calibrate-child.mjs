// Calibration of an encoder as one process: node calibrate-child.mjs MODEL_FOLDER EXAMPLES TOKENS. Prints what it took.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { compactEncoder, readOnnx, runPasses } from '@edgewise/compiler';
import { observeOnEngine } from './edgewise.mjs';
import { peakBytes } from './peak-memory.mjs';

const [folder = '', examples = '', tokens = ''] = process.argv.slice(2);
const { model } = await runPasses(readOnnx(readFileSync(join(folder, 'model.onnx'))), compactEncoder());
const ids = Array.from({ length: Number(examples) }, (_, i) =>
  Array.from({ length: Number(tokens) }, (__, j) => 1000 + ((i * 7919 + j * 104_729) % 20_000)),
);
const start = performance.now();
const startCpu = process.cpuUsage();
await observeOnEngine(model, ids);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(startCpu);
process.stdout.write(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakBytes: peakBytes() }));
