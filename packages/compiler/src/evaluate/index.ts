export { COCO_THRESHOLDS, meanAveragePrecision } from './average-precision.ts';
export type { AveragePrecisionOptions, ScoredImage } from './average-precision.ts';
export { bootstrapDrop, bootstrapMetric } from './bootstrap.ts';
export type { BootstrapOptions } from './bootstrap.ts';
export type { Answer, AnswerKind, BoxesAnswer, Dataset, Example, GoldExample } from './dataset.ts';
export type { Box, DetectedBox, GoldBox } from './detection.ts';
export { estimate, estimateDrop, evaluateCandidate, predictExamples } from './evaluate-candidate.ts';
export type { DownloadBytes, EvaluateOptions, Evaluation } from './evaluate-candidate.ts';
export { classExamples, labelExamples, scoreExamples } from './gold-examples.ts';
export { clopperPearson, CONFIDENCE, pairedAccuracyDrop } from './interval.ts';
export type { Estimate } from './interval.ts';
export { latencyStats } from './latency.ts';
export type { LatencyStats } from './latency.ts';
export { METRICS, sameAnswer, USUAL_METRIC } from './metrics.ts';
export type { Metric, MetricName } from './metrics.ts';
export { readCoco } from './read-coco.ts';
export type { CocoDataset } from './read-coco.ts';
export { DATASET_COLUMNS, readDataset, readFileTable } from './read-dataset.ts';
export type { ReadDatasetOptions } from './read-dataset.ts';
export { TIMED_EXAMPLES } from './timed-examples.ts';
export type {
  FileInput,
  Runner,
  RunnerInput,
  RunnerOpenOptions,
  RunnerOutput,
  RunnerSession,
  TextInput,
} from './runner.ts';
export { readYoloBoxes } from './read-yolo-boxes.ts';
export type { YoloBoxesOptions } from './read-yolo-boxes.ts';
