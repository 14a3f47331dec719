import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { CompilerError } from '../src/diagnostics/index.ts';
import {
  parseModel,
  randomTensor,
  typedData,
  type DenseTensor,
  type Model,
  type Shape,
} from '../src/ir/index.ts';
import { evaluateModel, inferTypes, tensorNumbers } from '../src/ops/index.ts';
import { buildPackage, compileEdge, type EdgeArtifact } from '../src/targets/index.ts';

// Graphs of the operators that have kernels, put together without sense: every layout meets every kernel. What the engine
// does not refuse gives what the reference evaluator does.

const SEEDS = Array.from({ length: 120 }, (_, seed) => seed);

/** Values of every size come together; a rounding of the largest is an error of the smallest. */
const TOLERANCE = { rel: 1e-4, ofLargest: 1e-5 };

let refused = 0;

it.each(SEEDS)('seed %i', async (seed) => {
  const model = randomModel(seededRandom(seed));
  const artifact = compiled(model);
  if (artifact === undefined) return;
  const feeds = new Map(
    model.graph.inputs.map(({ name, type }, index) => [
      name,
      randomTensor('float32', type?.kind === 'tensor' ? (type.shape as number[]) : [], seed + index, [-2, 2]),
    ]),
  );
  const expected = evaluateModel(model, feeds);
  const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, ...artifact });
  const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, floats(tensor)]));
  for (const options of [
    { rung: 'simd', threads: 1 },
    { rung: 'relaxed', threads: 2 },
  ] as const) {
    const session = await createSession(packaged, options);
    const results = await session.run(inputs);
    session.dispose();
    for (const { name } of model.graph.outputs) {
      const wanted = expected.get(name)!;
      expect(results[name]!.shape).toEqual(wanted.dims);
      const numbers = tensorNumbers(wanted);
      const largest = Math.max(1, ...Array.from(numbers, (value) => Math.abs(value)));
      const isWhole = wanted.dtype === 'int64';
      const tolerance = isWhole ? {} : { abs: TOLERANCE.ofLargest * largest, rel: TOLERANCE.rel };
      expectTensorClose(results[name]!.data, numbers, { ...tolerance, seed, label: name });
    }
  }
});

it('few are refused', () => {
  expect(refused).toBeLessThan(SEEDS.length / 5);
});

function floats(tensor: DenseTensor): Float32Array {
  return typedData(tensor) as Float32Array;
}

/** Undefined for a graph that is refused, by a message that names a node. */
function compiled(model: Model): EdgeArtifact | undefined {
  try {
    return compileEdge(model);
  } catch (error) {
    const isRefusal = error instanceof CompilerError && error.code === 'unsupported';
    if (!isRefusal || (error.at?.node ?? error.at?.value) === undefined) throw error;
    refused += 1;
    return undefined;
  }
}

interface Value {
  readonly name: string;
  readonly dims: readonly number[];
  /** Whether nothing was rounded on the way from the inputs: what is larger is the same everywhere. */
  readonly isExact: boolean;
  /** Of whole numbers: they are 0 or more and below it. */
  readonly limit?: number;
}

/** Writes one node over the values so far; undefined where the operator does not fit. */
type Writer = (random: SeededRandom, values: readonly Value[], lines: Lines) => string | undefined;

class Lines {
  readonly text: string[] = [];
  #constants = 0;

  constant(dims: readonly number[], content: string, dtype = 'float32'): string {
    const name = `c${this.#constants++}`;
    this.text.push(`constant ${name}: ${dtype}[${dims.join()}] ${content}`);
    return name;
  }

  list(values: readonly number[]): string {
    return this.constant([values.length], `{${values.join(', ')}}`, 'int64');
  }

  noise(dims: readonly number[]): string {
    return this.constant(dims, `random(${this.#constants}, -0.7, 0.7)`);
  }
}

const isMap = ({ dims }: Value): boolean => dims.length === 4 && dims[0]! <= 3;
const mapOf = (random: SeededRandom, values: readonly Value[]): Value | undefined => {
  const maps = values.filter(isMap);
  return maps.length > 0 ? random.pick(maps) : undefined;
};

const conv: Writer = (random, values, lines) => {
  const x = mapOf(random, values);
  if (!x) return undefined;
  const [, channels = 1] = x.dims;
  const group = random.pick([1, 2, 3, channels].filter((count) => channels % count === 0));
  const filters = group * random.int(1, 4);
  const kernel = [random.int(1, 3), random.int(1, 3)];
  const weight = lines.noise([filters, channels / group, ...kernel]);
  const bias = lines.noise([filters]);
  const activation = random.pick(['none', 'relu', 'silu', 'hard_swish', 'mish']);
  const [stride, before, after] = [random.int(1, 2), random.int(0, 2), random.int(1, 2)];
  return `edgewise.Conv(${x.name}, ${weight}, ${bias}) group=${group} kernel_shape=[${kernel.join()}] strides=[${stride}, 1] pads=[${before}, 1, ${after}, 1] activation="${activation}"`;
};

const pool: Writer = (random, values) => {
  const x = mapOf(random, values);
  const opType = random.pick(['MaxPool', 'AveragePool', 'GlobalMaxPool', 'GlobalAveragePool']);
  if (!x) return undefined;
  if (opType.startsWith('Global')) return `${opType}(${x.name})`;
  return `${opType}(${x.name}) kernel_shape=[2, 2] strides=[${random.int(1, 2)}, 1] pads=[1, 0, 0, 1]`;
};

const resize: Writer = (random, values, lines) => {
  const x = mapOf(random, values);
  if (!x || x.dims[0] !== 1 || x.dims[2]! * x.dims[3]! > 80) return undefined;
  const sizes = lines.list([1, x.dims[1]!, x.dims[2]! + random.int(0, 3), x.dims[3]! + random.int(0, 3)]);
  const mode = random.pick(['nearest', 'linear', 'cubic']);
  const coordinates = random.pick(['half_pixel', 'align_corners', 'asymmetric']);
  return `Resize(${x.name}, _, _, ${sizes}) mode="${mode}" coordinate_transformation_mode="${coordinates}"`;
};

const unary: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const opType = random.pick([
    'Relu',
    'Tanh',
    'Sigmoid',
    'Abs',
    'Neg',
    'Sin',
    'Softplus',
    'Elu',
    'Floor',
    'Clip',
  ]);
  return opType === 'Clip'
    ? `Clip(${x.name}, ${lines.constant([], '{-0.5}')}, ${lines.constant([], '{1.5}')})`
    : `${opType}(${x.name})`;
};

/** Of two values that repeat each other, or of one and a constant with some of its dimensions. */
const binary: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const fits = values.filter(({ dims }) => {
    const rank = Math.max(dims.length, x.dims.length);
    return Array.from({ length: rank }, (_, back) => [
      dims.at(-1 - back) ?? 1,
      x.dims.at(-1 - back) ?? 1,
    ]).every(([a, b]) => a === b || a === 1 || b === 1);
  });
  const some = x.dims.slice(random.int(0, x.dims.length)).map((dim) => random.pick([1, dim]));
  const other = random.pick([random.pick(fits).name, lines.noise(some)]);
  const operands = random() < 0.5 ? [x.name, other] : [other, x.name];
  return `${random.pick(['Add', 'Sub', 'Mul', 'Max', 'Min'])}(${operands.join(', ')})`;
};

const reduce: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const axes = x.dims.map((_, axis) => axis).filter(() => random() < 0.4);
  if (axes.length === 0) return undefined;
  const opType = random.pick(['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceL1']);
  return `${opType}(${x.name}, ${lines.list(axes)}) keepdims=${random.int(0, 1)}`;
};

const softmax: Writer = (random, values) => {
  const x = random.pick(values);
  if (x.dims.length === 0) return undefined;
  return `${random.pick(['Softmax', 'LogSoftmax'])}(${x.name}) axis=${random.int(0, x.dims.length - 1)}`;
};

const transpose: Writer = (random, values) => {
  const x = random.pick(values);
  if (x.dims.length === 0) return undefined;
  const keyed = x.dims.map((_, axis) => ({ axis, key: random() }));
  return `Transpose(${x.name}) perm=[${keyed
    .toSorted((a, b) => a.key - b.key)
    .map(({ axis }) => axis)
    .join(', ')}]`;
};

const reshape: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const count = x.dims.reduce((product, dim) => product * dim, 1);
  const part = random.pick([1, 2, 3, 4].filter((size) => count % size === 0));
  const rest = count / part;
  const half = random.pick([1, 2, 3].filter((size) => rest % size === 0));
  const shape = random.pick([[count], [part, rest], [1, part, half, rest / half], [half, rest / half, part]]);
  return `Reshape(${x.name}, ${lines.list(shape)})`;
};

const slice: Writer = (random, values, lines) => {
  const x = random.pick(values);
  if (x.dims.length === 0) return undefined;
  const axis = random.int(0, x.dims.length - 1);
  const extent = x.dims[axis]!;
  const start = random.int(0, extent - 1);
  const isBack = random() < 0.3;
  const step = isBack ? -random.int(1, 2) : random.int(1, 2);
  const end = isBack ? -extent - 1 : extent;
  return `Slice(${[x.name, ...[start, end, axis, step].map((value) => lines.list([value]))].join(', ')})`;
};

const concat: Writer = (random, values) => {
  const x = random.pick(values);
  if (x.dims.length === 0) return undefined;
  const axis = random.int(0, x.dims.length - 1);
  const key = ({ dims }: Value): string => dims.with(axis, 0).join();
  const fits = values.filter((value) => value.dims.length === x.dims.length && key(value) === key(x));
  return `Concat(${[x, random.pick(fits), random.pick(fits)].map(({ name }) => name).join(', ')}) axis=${axis}`;
};

const pad: Writer = (random, values, lines) => {
  const x = random.pick(values);
  const mode = random.pick(['constant', 'edge']);
  const pads = lines.list([...x.dims, ...x.dims].map(() => random.pick([0, 0, 1])));
  return x.dims.length === 0 ? undefined : `Pad(${x.name}, ${pads}) mode="${mode}"`;
};

const product: Writer = (random, values, lines) => {
  const x = random.pick(values);
  if (x.dims.length < 2) return undefined;
  const [batch, [m, k]] = [x.dims.slice(0, -2), x.dims.slice(-2) as [number, number]];
  const twins = values.filter(
    ({ dims }) =>
      dims.length === x.dims.length && dims.at(-2) === k && dims.slice(0, -2).join() === batch.join(),
  );
  const weight = lines.noise([...batch, k, random.int(1, 9)]);
  return m * k > 2000
    ? undefined
    : `MatMul(${x.name}, ${random.pick([weight, ...twins.map(({ name }) => name)])})`;
};

const exactOf = (random: SeededRandom, values: readonly Value[]): Value | undefined => {
  const exact = values.filter(({ isExact }) => isExact);
  return exact.length > 0 ? random.pick(exact) : undefined;
};

const place: Writer = (random, values, lines) => {
  const x = exactOf(random, values);
  if (!x || x.dims.length === 0) return undefined;
  const axis = random.int(0, x.dims.length - 1);
  const opType = random.pick(['ArgMax', 'ArgMin', 'TopK', 'TopK']);
  if (opType === 'TopK')
    return `TopK(${x.name}, ${lines.list([random.int(1, x.dims[axis]!)])}) axis=${axis} largest=${random.int(0, 1)}`;
  return `${opType}(${x.name}) axis=${axis} keepdims=${random.int(0, 1)} select_last_index=${random.int(0, 1)}`;
};

const suppression: Writer = (random, values, lines) => {
  const x = exactOf(random, values);
  if (x?.dims.length !== 3) return undefined;
  const [batch = 1, , boxes = 1] = x.dims;
  const [most, iou] = [lines.list([random.int(1, 9)]), lines.constant([], '{0.1}')];
  return `NonMaxSuppression(${lines.noise([batch, boxes, 4])}, ${x.name}, ${most}, ${iou})`;
};

const gather: Writer = (random, values) => {
  const indices = values.filter(({ limit }) => limit !== undefined);
  const index = indices.length > 0 ? random.pick(indices) : undefined;
  if (!index) return undefined;
  const fits = values.filter(({ dims: [extent = 0, ...rest], limit }) => {
    return limit === undefined && extent >= index.limit! && rest.length < 2;
  });
  return fits.length > 0 ? `Gather(${random.pick(fits).name}, ${index.name}) axis=0` : undefined;
};

const gatherElements: Writer = (random, values) => {
  const pairs = values.flatMap((x) =>
    values.flatMap((index) => {
      if (x.limit !== undefined || index.limit === undefined || x.dims.length !== index.dims.length)
        return [];
      const others = x.dims.map((_, axis) => axis).filter((axis) => x.dims[axis] !== index.dims[axis]);
      const [axis = x.dims.length - 1, ...more] = others;
      return more.length === 0 && x.dims[axis]! >= index.limit ? [{ x, index, axis }] : [];
    }),
  );
  if (pairs.length === 0) return undefined;
  const { x, index, axis } = random.pick(pairs);
  return `GatherElements(${x.name}, ${index.name}) axis=${axis}`;
};

const convert: Writer = (random, values, lines) => {
  const indices = values.filter(({ limit }) => limit !== undefined);
  if (indices.length === 0) return undefined;
  const { name } = random.pick(indices);
  const opType = random.pick(['Cast', 'Div', 'Mod']);
  if (opType === 'Cast') return `Cast(${name}) to=1`;
  return `${opType}(${name}, ${lines.constant([], `{${random.int(1, 4)}}`, 'int64')})`;
};

/** Of floats. */
const WRITERS: readonly Writer[] = [
  conv,
  conv,
  conv,
  pool,
  resize,
  unary,
  unary,
  binary,
  binary,
  reduce,
  softmax,
  pad,
  product,
  place,
  suppression,
];

/** Of floats, or of whole numbers. */
const MOVES: readonly Writer[] = [transpose, reshape, slice, concat];

/** Of both. */
const LOOKUPS: readonly Writer[] = [gather, gatherElements, gatherElements, convert];

function randomCall(random: SeededRandom, values: readonly Value[], lines: Lines): string | undefined {
  const writer = random.pick([...WRITERS, ...MOVES, ...LOOKUPS]);
  if (LOOKUPS.includes(writer)) return writer(random, values, lines);
  const pools = [
    values.filter(({ limit }) => limit === undefined),
    ...(MOVES.includes(writer) ? [values.filter(({ limit }) => limit !== undefined)] : []),
  ].filter((pool) => pool.length > 0);
  return pools.length > 0 ? writer(random, random.pick(pools), lines) : undefined;
}

function isSmall(shape: Shape | undefined): boolean {
  const isFixed = shape?.every((dim) => typeof dim === 'number' && dim > 0) === true;
  return isFixed && (shape as number[]).reduce((total, dim) => total * dim, 1) <= 4000;
}

const EXACT =
  /^(Relu|Abs|Neg|Clip|Max|Min|MaxPool|GlobalMaxPool|ReduceM(ax|in)|Transpose|Reshape|Slice|Concat|Pad|TopK|Gather\w*|Cast|Div|Mod|Arg\w+)\(/;

function isExactCall(call: string, values: readonly Value[]): boolean {
  const operands = values.filter(({ name }) => new RegExp(`[(, ]${name}[,)]`).test(call));
  return EXACT.test(call) && operands.every(({ isExact }) => isExact);
}

/** Of the whole numbers that a call gives: those of its input, or the extent of the axis that it searches. */
function limitOf(call: string, values: readonly Value[]): number {
  const [, name, axis] = /^\w+\((\w+)[^)]*\)(?: axis=(\d+))?/.exec(call)!;
  const x = values.find((value) => value.name === name)!;
  return call.startsWith('Concat')
    ? Math.max(...values.map(({ limit = 0 }) => limit))
    : (x.limit ?? x.dims[Number(axis)]!);
}

/** Outputs are what nobody reads. */
function randomModel(random: SeededRandom): Model {
  const lines = new Lines();
  const values: Value[] = [
    { name: 'x', dims: [1, random.pick([4, 6, 9]), random.int(3, 7), random.int(3, 7)], isExact: true },
    { name: 'z', dims: [1, random.int(2, 5), random.int(2, 9)], isExact: true },
  ];
  const inputs = values.map(({ name, dims }) => `input ${name}: float32[${dims.join()}]`);
  const nodes: string[] = [];
  const modelWith = (outputs: readonly string[]): Model =>
    parseModel(
      `ir 8\nopset ai.onnx 18\nopset edgewise 1\n\ngraph main {\n${[...inputs, ...lines.text, ...nodes, ...outputs.map((name) => `output ${name}`)].join('\n')}\n}`,
    );
  while (nodes.length < 9) {
    const call = randomCall(random, values.slice(-5), lines);
    if (call === undefined) continue;
    const name = `v${nodes.length}`;
    const made = call.startsWith('TopK') ? [name, `${name}i`] : [name];
    nodes.push(`${made.join(', ')} = ${call}`);
    // How many boxes are left is not known: nobody reads them.
    if (call.startsWith('NonMaxSuppression')) continue;
    const { types } = inferTypes(modelWith(made));
    const infos = made.map((output) => ({ output, type: types.get(output) }));
    const isUsable = infos.every(({ type }) => isSmall(type?.shape));
    if (!isUsable) nodes.pop();
    else
      for (const { output, type } of infos) {
        const dims = type!.shape as number[];
        const isWhole = type!.dtype === 'int64';
        const limit = isWhole ? { limit: limitOf(call, values) } : {};
        values.push({ name: output, dims, isExact: isExactCall(call, values), ...limit });
      }
  }
  const read = nodes.map((node) => node.replace(/^.* = /, '')).join(' ');
  const outputs = nodes
    .flatMap((node) => node.replace(/ = .*$/, '').split(', '))
    .filter((name) => !new RegExp(`[(, ]${name}[,)]`).test(read));
  const model = modelWith(outputs);
  model.graph.inputs = model.graph.inputs.filter(({ name }) => new RegExp(`[(, ]${name}[,)]`).test(read));
  model.graph.nodes = model.graph.nodes.map((node) => ({ ...node, name: node.outputs[0]! }));
  return model;
}
