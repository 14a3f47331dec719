// Loads a package in a process of its own and runs it: node --expose-gc memory-child.mjs PACKAGE TOKENS RUNS.
// Prints the resident memory before and the peak after.
import process from 'node:process';
import { createSession } from '@edgewise/runtime/node';
import { peakBytes, resetPeak } from './peak-memory.mjs';

const [folder = '', tokens = '', runs = ''] = process.argv.slice(2);
const ids = Array.from({ length: Number(tokens) }, (_, index) => 1000 + index);

globalThis.gc?.();
resetPeak();
const before = process.memoryUsage().rss;
const session = await createSession(folder, { threads: 1 });
const loaded = peakBytes();
for (let run = 0; run < Number(runs); run++) await session.run({ input_ids: ids });
const { memoryBytes, rung, mode } = session.info;
process.stdout.write(JSON.stringify({ before, loaded, peak: peakBytes(), memoryBytes, rung, mode }));
