import type { CandidateReport, OptimizeReport } from '../src/report/optimize-report.ts';

/** A made-up report for tests and screenshots. */
export function sampleReport(): OptimizeReport {
  const candidates = [
    sampleCandidate('float32', 7.1e6, 4.1, 0),
    sampleCandidate('w8a8-dynamic', 1.86e6, 1.6, 0),
    sampleCandidate('w7a8-dynamic', 1.8e6, 1.5, 0.0016),
    sampleCandidate('w8a8-static', 1.87e6, 1.4, -0.0016),
    sampleCandidate('w7a8-static', 1.81e6, 1.3, 0.0031),
    sampleCandidate('w7a8-dynamic+int4-embeddings', 1.35e6, 1.5, 0.0063),
    sampleCandidate('w7a8-static+int4-embeddings', 1.36e6, 1.35, 0.0016),
    sampleCandidate('w7a8-static+int4-embeddings+int4-weights', 1.05e6, 1.4, 0.0141),
  ];
  return {
    edgewise: '0.1.0',
    date: '2026-01-02T03:04:05.000Z',
    machine: { cpu: 'Sample CPU', cores: 2, os: 'linux x64', node: '20.20.0', onnxruntime: '1.30.0' },
    model: { name: 'sentiment', bytes: 7_577_794 },
    task: 'text-classification',
    target: 'web',
    data: { name: 'eval.tsv', examples: 640 },
    budget: { downloadBytes: 1.9e6, latencyMs: { p50: 5 }, drop: 0.005 },
    baseline: { ...sampleCandidate('original', 6.9e6, 2.4, 0), runner: 'onnxruntime (node)' },
    candidates: candidates.map(judge),
    refused: [],
    chosen: 'w7a8-static+int4-embeddings',
    nearest: 'w7a8-static+int4-embeddings',
    reasons: ['The smallest download of the 5 (of 8) candidates that meet the budget.'],
    relax: [],
    layers: Array.from({ length: 4 }, (_, i) => i).flatMap((layer) =>
      ['q_lin', 'k_lin', 'v_lin', 'out_lin', 'ffn/lin1', 'ffn/lin2'].map((part) => ({
        name: `/distilbert/transformer/layer.${layer}/${part}/MatMul`,
        macs: (part.startsWith('ffn') ? 4 : 1) * 16_384,
        parameterBytes: 65_536,
      })),
    ),
    length: {
      maxTokens: 64,
      modelTokens: 128,
      texts: 960,
      truncated: 0.001,
      truncation: [0.98, 0.65, 0.29, 0.16, 0.08, 0.02, 0.004, 0.001].map((share, i) => ({
        tokens: 8 * (i + 1),
        share,
      })),
      reasons: ["Inputs have at most 64 of the model's 128 tokens: 0.10 % of the 960 texts are cut."],
      recipe: 'w8a8-dynamic',
      curve: [8, 16, 24, 40, 56, 88, 128].map((tokens) => ({ tokens, ms: 0.4 + 0.045 * tokens })),
    },
    sensitivity: {
      scheme: 'weights in 4 bits, 8-bit activations',
      layers: Array.from({ length: 4 }, (_, i) => i).flatMap((layer) =>
        ['q_lin', 'k_lin', 'v_lin', 'out_lin', 'ffn/lin1', 'ffn/lin2'].map((part, place) => ({
          layer: `/distilbert/transformer/layer.${layer}/${part}/MatMul`,
          signalToNoiseDb: 52 + 5 * layer + ((place * 7) % 11),
          bits: 4 as const,
          weights: (part.startsWith('ffn') ? 4 : 1) * 16_384,
          drop: 0.0016 * ((place * 5 + layer) % 3) - 0.0016,
        })),
      ),
    },
    notes: ['Sample numbers.'],
  };
}

function sampleCandidate(recipe: string, size: number, p50: number, drop: number): CandidateReport {
  const value = 0.7438 - drop;
  return {
    recipe,
    steps: [],
    runner: 'edgewise (node)',
    downloadBytes: { raw: Math.round(1.4 * size), brotli: size },
    latencyMs: { p50, p95: 1.7 * p50 },
    coldStartMs: 40,
    peakMemoryBytes: 3 * size,
    metric: { name: 'accuracy', value, low: value - 0.035, high: value + 0.033 },
    drop: { value: drop, low: drop - 0.011, high: drop + 0.011 },
    metricReused: false,
    meetsBudget: true,
    failed: [],
    onParetoFront: false,
  };
}

function judge(candidate: CandidateReport): CandidateReport {
  const size = candidate.downloadBytes.brotli;
  if (size <= 1.9e6 && candidate.drop.value <= 0.005) return candidate;
  const failed =
    size > 1.9e6
      ? ({ limit: 'downloadBytes', allowed: 1.9e6, measured: size } as const)
      : ({ limit: 'drop', allowed: 0.005, measured: candidate.drop.value } as const);
  return { ...candidate, meetsBudget: false, failed: [failed] };
}
