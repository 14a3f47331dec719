import type { FunctionBuilder } from '../../../wasm/index.ts';
import type { Step } from '../program/program.ts';
import { CONV_STEPS } from './emit-conv-steps.ts';
import { ENCODER_STEPS } from './emit-encoder-steps.ts';
import { MAP_STEPS } from './emit-map-steps.ts';
import { RECURRENT_STEPS } from './emit-recurrent-steps.ts';
import { ROW_STEPS } from './emit-row-steps.ts';
import { SELECTION_STEPS } from './emit-selection-steps.ts';
import type { StepEmitter, StepEmitters, StepLimits } from './step-emitter.ts';
import type { StepScope } from './step-scope.ts';

const EMITTERS: StepEmitters<Step['op']> = {
  ...ENCODER_STEPS,
  ...ROW_STEPS,
  ...RECURRENT_STEPS,
  ...MAP_STEPS,
  ...CONV_STEPS,
  ...SELECTION_STEPS,
};

/** Emits the call that computes rows [m0, m1) of a step. */
export function emitStep(f: FunctionBuilder, step: Step, scope: StepScope): void {
  emitterOf(step).emit(f, step, scope);
}

/** Scratch that the kernels of a step use. */
export function stepScratchBytes(step: Step, limits: StepLimits): number {
  return emitterOf(step).scratchBytes?.(step, limits) ?? 0;
}

function emitterOf({ op }: Step): StepEmitter<Step> {
  return EMITTERS[op] as StepEmitter<Step>;
}
