import { sized, unsigned, type Code } from './encoding.ts';
import { i32, operandCode } from './instructions.ts';
import {
  VALUE_TYPE_CODES,
  type Arguments,
  type Expr,
  type FunctionRef,
  type Global,
  type Local,
  type Operand,
  type Params,
  type Statement,
  type ValueType,
} from './types.ts';

const UNREACHABLE = 0x00;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const RETURN = 0x0f;
const CALL = 0x10;
const DROP = 0x1a;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const GLOBAL_SET = 0x24;
const NO_RESULT = 0x40;

/** The target of a branch: the end of a block or the start of a loop. */
export interface Label {
  readonly depth: number;
}

/** Writes the body of one function, statement by statement. Made by `ModuleBuilder.function`. */
export class FunctionBuilder {
  readonly #code: Code[] = [];
  readonly #locals: ValueType[] = [];
  readonly #paramCount: number;
  #depth = 0;

  constructor(paramCount: number) {
    this.#paramCount = paramCount;
  }

  /** A new local, zero on entry. */
  local<T extends ValueType>(type: T): Local<T> {
    this.#locals.push(type);
    return localAt(type, this.#paramCount + this.#locals.length - 1);
  }

  /** A new local that holds the value of `value` now. */
  let<T extends ValueType>(value: Expr<T>): Local<T> {
    const local = this.local(value.type);
    this.#emit(value.code, LOCAL_SET, unsigned(local.index));
    return local;
  }

  set<T extends ValueType>(target: Local<T> | Global<T>, value: Operand<T>): void {
    const code = operandCode(value);
    if ('index' in target) this.#emit(code, LOCAL_SET, unsigned(target.index));
    else this.#emit(code, GLOBAL_SET, unsigned(target.globalIndex));
  }

  /** `target += amount`, for pointers and counters. */
  increment(target: Local<'i32'>, amount: Operand<'i32'>): void {
    this.set(target, i32.add(target, amount));
  }

  do(...statements: readonly Statement[]): void {
    for (const { code } of statements) this.#emit(code);
  }

  /** Evaluates for the effect only. */
  drop(value: Expr): void {
    this.#emit(value.code, DROP);
  }

  /** Calls a function that returns nothing. */
  call<P extends Params>(target: FunctionRef<P, undefined>, args: Arguments<P>): void {
    this.#emit(callCode(target, args));
  }

  /** Calls a function and yields its result. */
  invoke<P extends Params, R extends ValueType>(target: FunctionRef<P, R>, args: Arguments<P>): Expr<R> {
    return { type: target.result, code: callCode(target, args) };
  }

  block(body: (label: Label) => void): void {
    this.#nested(BLOCK, body);
  }

  /** A branch to the label starts the next iteration; without one the loop ends. */
  loop(body: (label: Label) => void): void {
    this.#nested(LOOP, body);
  }

  if(condition: Operand<'i32'>, then: () => void, otherwise?: () => void): void {
    this.#emit(operandCode(condition));
    this.#nested(IF, () => {
      then();
      if (!otherwise) return;
      this.#emit(ELSE);
      otherwise();
    });
  }

  branch(label: Label): void {
    this.#emit(BRANCH, unsigned(this.#depth - label.depth));
  }

  branchIf(label: Label, condition: Operand<'i32'>): void {
    this.#emit(operandCode(condition), BRANCH_IF, unsigned(this.#depth - label.depth));
  }

  /**
   * Runs the body with `counter` = its current value, + step, … while it is below `end` (signed). The test is at
   * the bottom of the loop, as compilers do, behind one test at the top; `end` is evaluated each time.
   */
  whileBelow(counter: Local<'i32'>, end: Operand<'i32'>, step: Operand<'i32'>, body: () => void): void {
    this.if(i32.ltS(counter, end), () => {
      this.loop((again) => {
        body();
        this.increment(counter, step);
        this.branchIf(again, i32.ltS(counter, end));
      });
    });
  }

  return(value?: Expr): void {
    this.#emit(value?.code ?? [], RETURN);
  }

  /** Ends a path that cannot be reached, such as the end of a function after its returns. */
  unreachable(): void {
    this.#emit(UNREACHABLE);
  }

  /** The entry of the code section: size, locals by runs of one type, code. */
  finish(): Code {
    const runs: [ValueType, number][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last && last[0] === type) last[1]++;
      else runs.push([type, 1]);
    }
    const locals = runs.map(([type, count]) => [unsigned(count), VALUE_TYPE_CODES[type]]);
    return sized([unsigned(runs.length), locals, this.#code, END]);
  }

  #nested(opcode: number, body: (label: Label) => void): void {
    this.#emit(opcode, NO_RESULT);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#emit(END);
  }

  #emit(...code: readonly Code[]): void {
    this.#code.push(...code);
  }
}

/** A local by its index. */
export function localAt<T extends ValueType>(type: T, index: number): Local<T> {
  return { type, index, code: [LOCAL_GET, unsigned(index)] };
}

function callCode<P extends Params>(target: FunctionRef<P>, args: Arguments<P>): Code {
  const operands = Object.keys(target.params).map((name) => {
    const operand: Expr | number = args[name as keyof P];
    return operandCode(operand);
  });
  return [operands, CALL, unsigned(target.index)];
}
