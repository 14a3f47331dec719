import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import { dimSymbols, substituteDim, type Dim, type Model, type ValueInfo } from '../ir/index.ts';
import { defineTransform, LOSSLESS, type Transform } from '../rewrite/index.ts';

/**
 * Gives symbolic dimensions of the model's inputs fixed extents: `fixDims({batch: 1})`.
 * A symbol that no input has gives the warning `unknown-dimension`.
 * @throws CompilerError `bad-option` for an extent that is not a positive whole number.
 */
export function fixDims(extents: Readonly<Record<string, number>>): Transform {
  for (const [symbol, extent] of Object.entries(extents))
    if (!Number.isSafeInteger(extent) || extent < 1)
      throw new CompilerError(
        'bad-option',
        `fixDims: ${symbol} must be a whole number of 1 or more, got ${extent}`,
      );
  const values = new Map<string, Dim>(Object.entries(extents));
  return defineTransform({
    name: 'fixDims',
    description: 'give symbolic dimensions fixed extents',
    tolerance: LOSSLESS,
    apply: (model) => {
      const known = new Set(model.graph.inputs.flatMap((input) => shapeOf(input).flatMap(dimSymbols)));
      const unknown = [...values.keys()].filter((symbol) => !known.has(symbol));
      const diagnostics = unknown.map((symbol) => unknownSymbol(symbol, known));
      return { edits: fixModel(model, values), diagnostics };
    },
  });
}

function unknownSymbol(symbol: string, known: ReadonlySet<string>): Diagnostic {
  return {
    severity: 'warning',
    code: 'unknown-dimension',
    message: `fixDims: no input has the dimension ${symbol}`,
    hint: known.size === 0 ? 'all dimensions are numbers' : `the dimensions are ${[...known].join(', ')}`,
  };
}

function fixModel({ graph }: Model, values: ReadonlyMap<string, Dim>): number {
  let edits = 0;
  const fix = (info: ValueInfo): ValueInfo => {
    if (info.type?.kind !== 'tensor' || info.type.shape === undefined) return info;
    const { type } = info;
    const shape = info.type.shape.map((dim) => substituteDim(dim, values));
    if (shape.every((dim, axis) => dim === type.shape?.[axis])) return info;
    edits++;
    return { ...info, type: { ...type, shape } };
  };
  graph.inputs = graph.inputs.map(fix);
  graph.outputs = graph.outputs.map(fix);
  graph.valueInfo = new Map([...graph.valueInfo].map(([name, info]) => [name, fix(info)]));
  return edits;
}

function shapeOf({ type }: ValueInfo): readonly Dim[] {
  return type?.kind === 'tensor' ? (type.shape ?? []) : [];
}
