import { CompilerError } from '../../diagnostics/index.ts';
import { elementCount, float32Tensor, isFloat32, typedData } from '../../ir/index.ts';
import type { Sample } from '../../quantize/index.ts';

/**
 * A picture's mirror image: every input of the sample backwards along an axis, that of the width. Fitting wants what the model makes of an
 * input and no label, so mirror images are further samples whatever they show.
 * @throws CompilerError `bad-option` for an input that is no float32 or has no such axis
 */
export function mirrorSample(sample: Sample, axis: number): Sample {
  return new Map(
    [...sample].map(([name, tensor]) => {
      const width = tensor.dims[axis];
      if (!isFloat32(tensor) || width === undefined)
        throw new CompilerError(
          'bad-option',
          `mirrorSample: '${name}' (${tensor.dims.join('×')}) has no floats along axis ${axis}`,
        );
      const from = typedData(tensor);
      const inner = elementCount(tensor.dims.slice(axis + 1));
      const mirrored = from.map((_, at) => {
        const column = Math.floor(at / inner) % width;
        return from[at + (width - 1 - 2 * column) * inner]!;
      });
      return [name, float32Tensor(tensor.dims, mirrored)];
    }),
  );
}
