import type { InspectReport, NodeReport } from './inspect.ts';

/** Peaks of a device. Real kernels reach a part of them: times from them are bounds from below. */
export interface DeviceProfile {
  readonly name: string;
  /** What the numbers come from. */
  readonly source: string;
  /** Multiply-accumulates a second. */
  readonly float32: number;
  readonly int8: number;
  /** Bytes a second from memory. */
  readonly bandwidth: number;
}

const GIGA = 1e9;

/**
 * One core each. Instructions a cycle: Arm's software optimization guides for the Cortex-A72 and A76 (one 128-bit multiply-
 * add and one widening multiply of 8 bytes; two of each and two SDOT of 16 products), for x86 two 128-bit vector multiplies,
 * which is what WebAssembly has (Agner Fog, "Instruction tables"). Memory: width × transfers of the boards' specifications.
 */
export const DEVICE_PROFILES: readonly DeviceProfile[] = [
  {
    name: 'raspberry-pi-4',
    source: 'one Cortex-A72 at 1.8 GHz, 32-bit LPDDR4-3200',
    float32: 1.8 * 4 * GIGA,
    int8: 1.8 * 8 * GIGA,
    bandwidth: 12.8 * GIGA,
  },
  {
    name: 'raspberry-pi-5',
    source: 'one Cortex-A76 at 2.4 GHz, 32-bit LPDDR4X-4267',
    float32: 2.4 * 8 * GIGA,
    int8: 2.4 * 32 * GIGA,
    bandwidth: 17 * GIGA,
  },
  {
    name: 'x86-browser',
    source: 'one core at 3 GHz, 128-bit vectors, two channels of DDR4-3200',
    float32: 3 * 8 * GIGA,
    int8: 3 * 16 * GIGA,
    bandwidth: 51.2 * GIGA,
  },
];

export interface RooflineReport {
  readonly device: string;
  readonly source: string;
  /** Milliseconds of one run at least; null where a cost is not known. */
  readonly float32Ms: number | null;
  readonly int8Ms: number | null;
}

/**
 * The roofline model (Williams, Waterman, Patterson 2009): a layer takes at least as long as its products at the peak, and
 * as its weights and outputs from memory; the sum over all layers, one after the other. int8: a quarter of the bytes.
 */
export function roofline(
  { nodes }: Pick<InspectReport, 'nodes'>,
  profiles: readonly DeviceProfile[] = DEVICE_PROFILES,
): readonly RooflineReport[] {
  return profiles.map((profile) => ({
    device: profile.name,
    source: profile.source,
    float32Ms: leastMs(nodes, profile.float32, profile.bandwidth),
    int8Ms: leastMs(nodes, profile.int8, 4 * profile.bandwidth),
  }));
}

function leastMs(nodes: readonly NodeReport[], peak: number, bandwidth: number): number | null {
  let seconds = 0;
  for (const { macs, parameterBytes, activationBytes } of nodes) {
    if (macs === null || activationBytes === null) return null;
    seconds += Math.max(macs / peak, (parameterBytes + activationBytes) / bandwidth);
  }
  return 1000 * seconds;
}
