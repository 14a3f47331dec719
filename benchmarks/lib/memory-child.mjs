// Loads a package in a process of its own and runs it: node --expose-gc memory-child.mjs PACKAGE TOKENS RUNS.
// Prints the resident memory before and the peak after.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createSession } from '@edgewise/runtime/node';

const [folder = '', tokens = '', runs = ''] = process.argv.slice(2);
const ids = Array.from({ length: Number(tokens) }, (_, index) => 1000 + index);

globalThis.gc?.();
resetPeak();
const before = process.memoryUsage().rss;
const session = await createSession(folder, { threads: 1 });
const loaded = peak();
for (let run = 0; run < Number(runs); run++) await session.run({ input_ids: ids });
const { memoryBytes, rung, mode } = session.info;
process.stdout.write(JSON.stringify({ before, loaded, peak: peak(), memoryBytes, rung, mode }));

/** Linux forgets the peak so far when told; elsewhere it includes start-up. */
function resetPeak() {
  if (existsSync('/proc/self/clear_refs')) writeFileSync('/proc/self/clear_refs', '5');
}

function peak() {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}
