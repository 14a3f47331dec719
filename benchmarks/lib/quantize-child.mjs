// The whole of our quantization as one process: node quantize-child.mjs MODEL_FOLDER TASK. Prints its peak memory.
import process from 'node:process';
import { edgewisePackage } from './edgewise.mjs';

const [folder = '', name = '', task = ''] = process.argv.slice(2);
await edgewisePackage({
  folder,
  name,
  task: task === 'feature-extraction' ? task : 'text-classification',
  recipe: 'w7a8-dynamic',
});
// Kibibytes on every system: libuv converts.
process.stdout.write(JSON.stringify({ peakBytes: process.resourceUsage().maxRSS * 1024 }));
