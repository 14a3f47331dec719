import { createEvaluator, type Evaluator } from '@edgewise/compiler';
import { breathe } from './breathe.ts';

/** The reference evaluator, with room for Ctrl+C and the progress line before every run. */
export function interruptibleEvaluator(): Evaluator {
  const evaluate = createEvaluator();
  return async (model, sample) => {
    await breathe();
    return evaluate(model, sample);
  };
}
