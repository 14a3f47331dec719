import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/index.ts';
import { edgeFit } from './edge-fit.ts';
import { inspectModel } from './inspect.ts';
import { roofline } from './roofline.ts';
import { separableConvolutions } from './separable-convolutions.ts';

const MODEL = parseModel(`opset ai.onnx 17
graph main {
  input x: float32[n,3,224,224]
  constant w: float32[32,3,3,3] random(1)
  constant d: float32[32,1,3,3] random(2)
  constant p: float32[8,32,1,1] random(3)
  a = Conv(x, w) pads=[1, 1, 1, 1] @first
  b = Conv(a, d) pads=[1, 1, 1, 1] group=32
  y = Conv(b, p)
  output y
}`);
const BOUND = new Map([['n', 1]]);

describe('separableConvolutions', () => {
  it("lists ordinary convolutions with what they would save: MobileNet's arithmetic", () => {
    expect(separableConvolutions(MODEL, BOUND)).toEqual([
      {
        node: 'first',
        parameters: 864,
        macs: 864 * 224 ** 2,
        separableParameters: 123,
        separableMacs: 123 * 224 ** 2,
      },
    ]);
    expect(separableConvolutions(MODEL)[0]).toMatchObject({ macs: null, separableMacs: null });
  });
});

describe('roofline', () => {
  const profile = { name: 'p', source: 's', float32: 1e9, int8: 4e9, bandwidth: 1e9 };

  it('takes the larger of products and bytes of each layer', () => {
    const node = { name: '', operator: '', graph: '', outputs: [], macShare: null, parameters: 0 };
    const nodes = [
      { ...node, macs: 8e6, parameterBytes: 1e6, activationBytes: 1e6 },
      { ...node, macs: 0, parameterBytes: 0, activationBytes: 4e6 },
    ];
    expect(roofline({ nodes }, [profile])).toEqual([{ device: 'p', source: 's', float32Ms: 12, int8Ms: 3 }]);
  });

  it('is unknown where a size is', () => {
    expect(roofline(inspectModel(MODEL), [profile])[0]?.float32Ms).toBeNull();
    expect(roofline(inspectModel(MODEL, { bindings: BOUND }), [profile])[0]?.float32Ms).toBeGreaterThan(40);
  });
});

describe('edgeFit', () => {
  const totals = { activationBytes: 0, peakActivationBytes: 0 };

  it('warns of what no device should run, with what is made for it', () => {
    const inputs = [{ name: 'ids', dtype: 'int64' as const, shape: [1, 128] }];
    const [warning] = edgeFit({ parameters: 340e6, totals: { ...totals, macs: 40e9 }, inputs });
    expect(warning?.message).toContain('340 M parameters and 40.0 G multiply-accumulates');
    expect(warning?.hint).toContain('MiniLM');
  });

  it('says nothing of an edge model', () => {
    const inputs = [{ name: 'x', dtype: 'float32' as const, shape: [1, 3, 224, 224] }];
    expect(edgeFit({ parameters: 3.5e6, totals: { ...totals, macs: 3e8 }, inputs })).toEqual([]);
  });
});
