// The whole of our quantization as one process: node quantize-child.mjs MODEL_FOLDER NAME TASK. Prints what
// it took.
import process from 'node:process';
import { edgewisePackage } from './edgewise.mjs';
import { peakBytes } from './peak-memory.mjs';

const [folder = '', name = '', task = ''] = process.argv.slice(2);
await edgewisePackage({
  folder,
  name,
  task: task === 'feature-extraction' ? task : 'text-classification',
  recipe: 'w7a8-dynamic',
});
const { userCPUTime, systemCPUTime } = process.resourceUsage();
// libuv gives microseconds on every system.
const usage = { peakBytes: peakBytes(), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
process.stdout.write(JSON.stringify(usage));
