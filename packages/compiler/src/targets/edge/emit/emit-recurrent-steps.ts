import {
  emitGru,
  emitLstm,
  emitRepeated,
  gruScratchBytes,
  lstmScratchBytes,
  type GruSpec,
  type LstmSpec,
} from '../kernels/index.ts';
import type { Operand } from '../program/program.ts';
import { floatStride, roundUp, type Value } from '../program/value.ts';
import type { FunctionBuilder } from '../../../wasm/index.ts';
import type { StepEmitters, StepOf } from './step-emitter.ts';
import { whole, type StepScope } from './step-scope.ts';

/** Layers with a memory. */
export const RECURRENT_STEPS: StepEmitters<'lstm' | 'gru'> = {
  lstm: { emit: emitLstmStep, scratchBytes: (step) => lstmScratchBytes(lstmSpec(step)) },
  gru: { emit: emitGruStep, scratchBytes: (step) => gruScratchBytes(gruSpec(step)) },
};

type Recurrent = StepOf<'lstm' | 'gru'>;

function recurrentSpec({ reverse, batch, output }: Recurrent): Omit<LstmSpec, 'pairs'> {
  const steps = (output.rows as number) / batch;
  return { hidden: output.columns, steps, reverse, batch, yStride: floatStride(output) };
}

function lstmSpec(step: StepOf<'lstm'>): LstmSpec {
  const spec = recurrentSpec(step);
  return typeof step.weights === 'number' ? spec : { ...spec, pairs: step.weights.pairs };
}

function gruSpec(step: StepOf<'gru'>): GruSpec {
  return { ...recurrentSpec(step), resetsProduct: step.bias !== undefined };
}

/** Bytes from one sequence of a batch to the next. */
function sequenceSteps({ gates, h, output }: Recurrent): Record<'gates' | 'h' | 'y', number> {
  return { gates: 4 * floatStride(gates), h: operandStep(h, output), y: 4 * floatStride(output) };
}

/** Bytes from one row of states to the next. */
function operandStep(operand: Operand, { columns }: Value): number {
  return 4 * ('value' in operand ? floatStride(operand.value) : roundUp(columns, 8));
}

function wholeOperand(operand: Operand, scope: StepScope): number {
  return 'value' in operand ? whole(operand.value, scope) : operand.address;
}

function emitLstmStep(f: FunctionBuilder, step: StepOf<'lstm'>, scope: StepScope): void {
  const { weights, batch } = step;
  const int8 = typeof weights === 'number' ? undefined : weights;
  const steps = sequenceSteps(step);
  const kernel = emitRepeated(scope.library, emitLstm(scope.library, lstmSpec(step)), {
    count: batch,
    steps: { ...steps, c: operandStep(step.c, step.output), cell: 4 * floatStride(step.cell) },
  });
  f.call(kernel, {
    gates: whole(step.gates, scope),
    weights: typeof weights === 'number' ? weights : weights.panels,
    weightScale: int8?.scale ?? 0,
    colsum: int8?.columnSums ?? 0,
    pairFlags: int8?.pairFlags ?? 0,
    h: wholeOperand(step.h, scope),
    c: wholeOperand(step.c, scope),
    y: whole(step.output, scope),
    cell: whole(step.cell, scope),
    scratch: scope.scratch,
  });
}

function emitGruStep(f: FunctionBuilder, step: StepOf<'gru'>, scope: StepScope): void {
  const kernel = emitRepeated(scope.library, emitGru(scope.library, gruSpec(step)), {
    count: step.batch,
    steps: sequenceSteps(step),
  });
  f.call(kernel, {
    gates: whole(step.gates, scope),
    weights: step.weights,
    bias: step.bias ?? 0,
    h: wholeOperand(step.h, scope),
    y: whole(step.output, scope),
    scratch: scope.scratch,
  });
}
