import type { EdgeInput, EdgeModel, EdgeOutput } from '../format/index.ts';
import type { Session, TensorInfo } from './session.ts';

/** What a session says about a model's inputs and outputs. */
export function describeTensors(model: EdgeModel): Pick<Session, 'inputs' | 'outputs'> {
  const describe = ({ name, dtype, shape }: EdgeInput | EdgeOutput, required: boolean): TensorInfo => ({
    name,
    dtype,
    shape,
    required,
  });
  const describeOutput = (output: EdgeOutput): TensorInfo => {
    const { shape, ...info } = describe(output, false);
    return { ...info, shape: output.countAddress === undefined ? shape : ['count', ...shape.slice(1)] };
  };
  return {
    inputs: model.inputs.map((input) => describe(input, input.default === undefined)),
    outputs: model.outputs.map(describeOutput),
  };
}
