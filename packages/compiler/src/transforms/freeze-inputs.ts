import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import { denseTensor, type DenseTensor, type Model, type ValueInfo } from '../ir/index.ts';
import { defineTransform, LOSSLESS, type Transform } from '../rewrite/index.ts';

const ARRAYS = {
  float32: (value: number) => Float32Array.of(value),
  int32: (value: number) => Int32Array.of(value),
  int64: (value: number) => BigInt64Array.of(BigInt(value)),
  bool: (value: number) => Uint8Array.of(value),
} as const;

/**
 * Makes constants of inputs that hold one number, settings such as a sample rate: `freezeInputs({sr: 16000})`. What
 * depends on them can be folded. A name that no input has gives the warning `unknown-input`.
 * @throws CompilerError `bad-option` for a value that is not a finite number or does not fit the input's type, or an
 * input of another number of elements.
 */
export function freezeInputs(values: Readonly<Record<string, number>>): Transform {
  for (const [name, value] of Object.entries(values)) if (!Number.isFinite(value)) throw refuse(name, value);
  return defineTransform({
    name: 'freezeInputs',
    description: 'inputs that are settings → constants',
    tolerance: LOSSLESS,
    apply: (model) => freeze(model, new Map(Object.entries(values))),
  });
}

function freeze(
  { graph }: Model,
  values: ReadonlyMap<string, number>,
): { edits: number; diagnostics: Diagnostic[] } {
  const frozen = graph.inputs.filter(({ name }) => values.has(name));
  for (const input of frozen)
    graph.initializers.set(input.name, constantFor(input, values.get(input.name) as number));
  graph.inputs = graph.inputs.filter(({ name }) => !values.has(name));
  const unknown = [...values.keys()].filter((name) => !frozen.some((input) => input.name === name));
  return { edits: frozen.length, diagnostics: unknown.map((name) => unknownInput(name, graph.inputs)) };
}

function constantFor({ name, type }: ValueInfo, value: number): DenseTensor {
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  const dtype = type?.kind === 'tensor' ? type.dtype : undefined;
  if (!shape?.every((dim) => dim === 1))
    throw new CompilerError('bad-option', `freezeInputs: ${name} does not hold one number`, {
      at: { value: name },
    });
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'int64' && dtype !== 'bool')
    throw new CompilerError('bad-option', `freezeInputs: ${name} is ${dtype ?? 'of no known type'}`, {
      at: { value: name },
      hint: `types that can be frozen are ${Object.keys(ARRAYS).join(', ')}`,
    });
  if (dtype !== 'float32' && !Number.isSafeInteger(value)) throw refuse(name, value);
  return denseTensor(dtype, shape as readonly number[], ARRAYS[dtype](value));
}

function refuse(name: string, value: number): CompilerError {
  return new CompilerError('bad-option', `freezeInputs: ${name} cannot be ${value}`, { at: { value: name } });
}

function unknownInput(name: string, inputs: readonly ValueInfo[]): Diagnostic {
  return {
    severity: 'warning',
    code: 'unknown-input',
    message: `freezeInputs: the model has no input ${name}`,
    hint: `the inputs are ${inputs.map((input) => input.name).join(', ')}`,
  };
}
