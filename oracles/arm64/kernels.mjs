// The kernel suite as a plain program, bundled before it runs (run.sh): prints what failed and the exact modes, as JSON.
import { kernelCases } from '../../packages/compiler/test/kernels/cases.ts';
import { exactModes } from '../../packages/compiler/test/kernels/harness.ts';

const rungs = ['relaxed', 'simd'].map((rung) => {
  const cases = kernelCases(rung);
  const failures = cases.flatMap(({ name, run }) => {
    try {
      run();
      return [];
    } catch (error) {
      return [`${name}: ${String(error)}`];
    }
  });
  return [rung, { cases: cases.length, failures, exactModes: exactModes(rung) }];
});
console.log(JSON.stringify(Object.fromEntries(rungs)));
