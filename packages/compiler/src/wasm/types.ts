import type { Code } from './encoding.ts';

/** The value types this engine uses. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';

/** Byte of each value type in the binary format. */
export const VALUE_TYPE_CODES: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  v128: 0x7b,
};

/**
 * Code that leaves one value on the stack. An expression is pure data: used twice, it is evaluated twice
 * (put it into a local with `f.let` to evaluate it once).
 */
export interface Expr<T extends ValueType = ValueType> {
  readonly type: T;
  readonly code: Code;
}

/** Code that leaves nothing on the stack: a store, a fence. Takes effect where it is given to `f.do`. */
export interface Statement {
  readonly type: 'none';
  readonly code: Code;
}

/** A local variable or parameter; as an expression it reads the variable. */
export interface Local<T extends ValueType = ValueType> extends Expr<T> {
  readonly index: number;
}

/** A module global; as an expression it reads the variable. */
export interface Global<T extends ValueType = ValueType> extends Expr<T> {
  readonly globalIndex: number;
}

/** Where an i32 is wanted, a plain number stands for a constant. */
export type Operand<T extends ValueType> = T extends 'i32' ? Expr<'i32'> | number : Expr<T>;

/** Parameter names and types, in order. */
export type Params = Readonly<Record<string, ValueType>>;

/** A function of the module that others can call. */
export interface FunctionRef<
  P extends Params = Params,
  R extends ValueType | undefined = ValueType | undefined,
> {
  readonly index: number;
  readonly name: string;
  readonly params: P;
  readonly result: R;
}

/** Arguments of a call, by parameter name. */
export type Arguments<P extends Params> = { readonly [K in keyof P]: Operand<P[K]> };
