// The most memory that this process has held.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

/** Linux forgets the peak so far when told; elsewhere it includes start-up. */
export function resetPeak() {
  if (existsSync('/proc/self/clear_refs')) writeFileSync('/proc/self/clear_refs', '5');
}

/** Bytes. Where it is not read from /proc, a process that was started by a larger one may report the memory of that. */
export function peakBytes() {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}
