import { VERSION, type Candidate, type SearchResult } from '@edgewise/compiler';
import type { CandidateReport, OptimizeReport } from '../../report/optimize-report.ts';

/** The search's result as report.json has it; the rest is what the search does not know. */
export function createReport<Artifact>(
  { candidates, refused, choice }: SearchResult<Artifact>,
  rest: Pick<
    OptimizeReport,
    | 'date'
    | 'machine'
    | 'model'
    | 'task'
    | 'target'
    | 'data'
    | 'budget'
    | 'layers'
    | 'notes'
    | 'length'
    | 'sensitivity'
  >,
): OptimizeReport {
  const [baseline, ...others] = candidates.map(candidateReport);
  if (!baseline) throw new Error('createReport: a search has at least candidate 0.');
  return {
    edgewise: VERSION,
    ...rest,
    baseline,
    candidates: others,
    refused: refused.map(({ recipe, error }) => ({ recipe: recipe.name, reason: error.message })),
    chosen: choice.met ? choice.name : null,
    nearest: choice.name,
    reasons: choice.reasons,
    relax: choice.relax,
  };
}

function candidateReport({ recipe, evaluation, ...verdict }: Candidate): CandidateReport {
  const { runner, downloadBytes, latencyMs, coldStartMs, peakMemoryBytes, metric, drop } = evaluation;
  return {
    recipe: recipe.name,
    steps: recipe.steps,
    runner,
    downloadBytes,
    latencyMs,
    coldStartMs,
    peakMemoryBytes,
    metric,
    drop,
    metricReused: evaluation.predictionsReused,
    meetsBudget: verdict.meetsBudget,
    failed: verdict.failed,
    onParetoFront: verdict.onParetoFront,
  };
}
