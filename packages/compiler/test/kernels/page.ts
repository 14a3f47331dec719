import { kernelCases } from './cases.ts';

declare global {
  var runKernelCases: (rung: 'relaxed' | 'simd') => { count: number; failures: string[] };
}

/** What the browser test calls in the page. */
globalThis.runKernelCases = (rung) => {
  const failures: string[] = [];
  const cases = kernelCases(rung);
  for (const { name, run } of cases) {
    try {
      run();
    } catch (error) {
      failures.push(`${name}: ${String(error)}`);
    }
  }
  return { count: cases.length, failures };
};
