import type { CandidateReport, OptimizeReport } from './optimize-report.ts';

/** A candidate with its number in the report's table; 0 is the original. */
export interface NumberedCandidate {
  readonly number: number;
  readonly candidate: CandidateReport;
}

/** The original as number 0, then the candidates in their order. */
export function numberedCandidates(report: OptimizeReport): readonly NumberedCandidate[] {
  return [report.baseline, ...report.candidates].map((candidate, number) => ({ number, candidate }));
}
