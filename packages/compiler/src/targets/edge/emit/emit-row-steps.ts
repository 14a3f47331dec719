import { emitActivateRows, emitBinaryRows, emitSoftmaxRows } from '../kernels/index.ts';
import type { Operand } from '../program/program.ts';
import { floatStride } from '../program/value.ts';
import { i32, v128, type Expr, type FunctionBuilder } from '../../../wasm/index.ts';
import type { StepEmitters, StepOf } from './step-emitter.ts';
import { outputRows, rowZero, whole, type StepScope } from './step-scope.ts';

/** Arithmetic on rows of floats. */
export const ROW_STEPS: StepEmitters<'activation' | 'binary' | 'softmax' | 'pick-row'> = {
  activation: { emit: emitActivate },
  binary: { emit: emitBinary },
  softmax: { emit: emitSoftmax },
  'pick-row': { emit: emitPickRow },
};

function emitActivate(f: FunctionBuilder, step: StepOf<'activation'>, scope: StepScope): void {
  const { x, activation, output } = step;
  const kernel = emitActivateRows(scope.library, {
    n: output.columns,
    activation,
    xStride: floatStride(x),
    yStride: floatStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), ...outputRows(output, scope) });
}

function emitBinary(f: FunctionBuilder, step: StepOf<'binary'>, scope: StepScope): void {
  const { operator, a, b, output } = step;
  const yStride = floatStride(output);
  const strideOf = (operand: Operand): number => {
    const { rows } = 'value' in operand ? operand.value : operand;
    if (rows !== output.rows) return 0;
    return 'value' in operand ? floatStride(operand.value) : yStride;
  };
  const addressOf = (operand: Operand): Expr<'i32'> => {
    if (!('value' in operand)) return i32.const(operand.address);
    return strideOf(operand) === 0 ? i32.const(whole(operand.value, scope)) : rowZero(operand.value, scope);
  };
  const kernel = emitBinaryRows(scope.library, {
    operator,
    n: output.columns,
    aStride: strideOf(a),
    bStride: strideOf(b),
    yStride,
  });
  f.call(kernel, {
    a: addressOf(a),
    b: addressOf(b),
    ...outputRows(output, scope),
  });
}

function emitSoftmax(f: FunctionBuilder, { x, isLog, output }: StepOf<'softmax'>, scope: StepScope): void {
  const kernel = emitSoftmaxRows(scope.library, {
    isLog,
    n: output.columns,
    xStride: floatStride(x),
    yStride: floatStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), ...outputRows(output, scope) });
}

/** Copies one row, padding included. */
function emitPickRow(f: FunctionBuilder, { x, row, output }: StepOf<'pick-row'>, scope: StepScope): void {
  const bytes = 4 * floatStride(output);
  const from = f.let(i32.const(whole(x, scope) + row * 4 * floatStride(x)));
  const to = f.let(rowZero(output, scope));
  const end = f.let(i32.add(to, bytes));
  f.whileBelow(to, end, 16, () => {
    f.do(v128.store(to, v128.load(from)));
    f.increment(from, 16);
  });
}
