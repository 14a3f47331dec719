import { RuntimeError } from '../runtime-error.ts';
import { hasRelaxedSimd, hasSimd } from './features.ts';
import type { Rung } from './modes.ts';

const RUNGS: readonly Rung[] = ['relaxed', 'simd'];

/** The program to load: the wanted one, else the best that this browser or Node can run. */
export function chooseRung(wanted: Rung | undefined): Rung {
  if (wanted !== undefined && !RUNGS.includes(wanted)) {
    throw new RuntimeError('bad-option', `rung must be ${RUNGS.join(' or ')}, not ${String(wanted)}`);
  }
  if (!hasSimd()) {
    throw new RuntimeError(
      'unsupported',
      'this browser has no WebAssembly SIMD; every one since 2023 has it',
    );
  }
  const relaxed = hasRelaxedSimd();
  if (wanted === 'relaxed' && !relaxed)
    throw new RuntimeError('unsupported', 'there is no relaxed SIMD here');
  return wanted ?? (relaxed ? 'relaxed' : 'simd');
}
