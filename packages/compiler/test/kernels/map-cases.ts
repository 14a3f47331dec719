import type { Rung } from '../../src/targets/edge/kernels/index.ts';
import { mapCase, poolCase } from './byte-map-cases.ts';
import type { KernelCase } from './case.ts';
import { convCase, depthwiseCase } from './conv-int8-cases.ts';
import { copyCases } from './copy-cases.ts';
import { floatConvCase, floatDepthwiseCase } from './float-conv-cases.ts';
import { floatPoolCase, reduceCase } from './float-pool-cases.ts';
import { exactModes, type ModeName } from './harness.ts';
import { resizeCase, resizeTapsCase } from './resize-cases.ts';
import { winogradF32Case, winogradInt8Case } from './winograd-cases.ts';

// Kernels over maps against their plain references, to the bit.

/** All cases over maps of a rung, each in every mode that is exact on this machine. */
export function mapCases(rung: Rung): KernelCase[] {
  const modes = exactModes(rung);
  // Without relaxed dots only what a byte means depends on the mode, and that can be tried on every machine.
  const byteModes: ModeName[] = rung === 'relaxed' ? ['i16', 's8'] : ['i16'];
  const cases: KernelCase[] = [];
  let seed = 1000;
  for (let round = 0; round < 12; round++) {
    for (const weights of [7, 8, 'paired'] as const) {
      const exact = modes[weights === 7 ? 7 : 8];
      for (const pointwise of [false, true]) {
        const extreme = round % 4 === 3;
        cases.push(convCase(rung, exact, ++seed, { weights, extreme, pointwise }));
      }
      cases.push(winogradInt8Case(rung, exact, ++seed, { weights, extreme: round % 4 === 3 }));
    }
    cases.push(
      depthwiseCase(rung, byteModes, ++seed, round % 4 === 3),
      depthwiseCase(rung, byteModes, ++seed, false),
    );
    cases.push(
      resizeCase(rung, byteModes, ++seed),
      resizeTapsCase(rung, ++seed),
      mapCase(rung, byteModes, ++seed),
      poolCase(rung, byteModes, ++seed),
      floatConvCase(rung, ++seed),
      winogradF32Case(rung, ++seed),
      floatDepthwiseCase(rung, ++seed),
      floatPoolCase(rung, ++seed),
      reduceCase(rung, ++seed),
    );
  }
  return [...cases, ...copyCases(rung, byteModes)];
}
