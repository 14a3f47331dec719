import { forgiveCut, PatchedConv, withSums } from './conv-sums.ts';
import type { FitConvOptions, FittedConv } from './fit-conv.ts';
import { fitProjection } from '../least-squares/fit-projection.ts';
import { NormalEquations } from '../least-squares/normal-equations.ts';
import type { Relay } from './relay.ts';

/** Fits each filter of a depthwise convolution, with its bias, so that its sums come near the float model's. All channels stay. */
export async function fitDepthwise(
  { float, model, value, pull, positions }: FitConvOptions,
  relay: Relay,
): Promise<FittedConv> {
  const own = new PatchedConv(model, value);
  const channels = Array.from({ length: own.outputs }, () => new NormalEquations(own.inputs + 1, 1));
  const row = new Float32Array(own.inputs + 1).fill(1);
  const [sum = ''] = own.made;
  let [seen, shown] = [0, 0];
  await relay.run(
    { model: withSums(float, [value]), values: new PatchedConv(float, value).made },
    { model: withSums(model, [value]), values: [own.read[0]!, sum] },
    ([wanted = [], found = []]) => {
      const target = forgiveCut(wanted[0]!, found[1]!, own.limits);
      const picked = own.pickPositions(positions, seen);
      for (const position of picked)
        for (const [channel, equations] of channels.entries()) {
          own.readPatch(found[0]!, position, row, channel);
          const at = channel * own.positions + position;
          equations.add(row, target.subarray(at, at + 1), 1);
        }
      seen += picked.length;
      shown += own.positions;
    },
  );
  const [weight, bias] = [own.weight.slice(), own.bias.slice()];
  for (const [channel, equations] of channels.entries()) {
    const start = channel * own.inputs;
    const fitted = fitProjection({
      equations,
      weight: weight.slice(start, start + own.inputs),
      bias: bias.slice(channel, channel + 1),
      groupSize: 1,
      remove: 0,
      damping: pull / shown,
    });
    weight.set(fitted.weight, start);
    bias.set(fitted.bias, channel);
  }
  return { keep: [...channels.keys()], weight, bias };
}
