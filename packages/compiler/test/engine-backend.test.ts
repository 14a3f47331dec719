import { createSession } from '@edgewise/runtime/node';
import { describeWithAssets, worstDifference } from '@edgewise/test-utils';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CompilerError } from '../src/diagnostics/index.ts';
import { readOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, type DenseTensor, type Model, type Tensor } from '../src/ir/index.ts';
import { tensorNumbers } from '../src/ops/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge, type EdgeArtifact } from '../src/targets/index.ts';
import { compactConvNet, compactRecurrentNet } from '../src/transforms/index.ts';
import { BACKEND_ARCHIVE, readBackendCases, readValue, type BackendCase } from './backend-cases.ts';

// Every case of ONNX's backend tests that the engine could run: as a model has it, with one input at run time and all
// others constant, and with all inputs of float32 at run time.

/** Sums in another order, and functions by polynomials of our own. */
const TOLERANCE = { abs: 2e-6, rel: 2e-5 };

/** Cases that are not expected to give what the archive has, and why. */
const EXCEPTIONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/averagepool_2d_ceil_last_window/, 'the expected values have four decimals'],
  [
    /resize_downsample_scales_(cubic|linear)_align_corners/,
    'onnxruntime uses the rounded extent, and so do we',
  ],
];

/** Runs of the archive that the engine must at least do. */
const RUNS = 600;

const RECIPES: readonly (() => Transform[])[] = [compactConvNet, compactRecurrentNet];

interface Tally {
  ran: number;
  readonly refused: Map<string, number>;
}

describeWithAssets('the engine on the ONNX backend tests', BACKEND_ARCHIVE, () => {
  it('gives the expected outputs, or says why not', async () => {
    const problems: string[] = [];
    const tallies = new Map<string, Tally>();
    let runs = 0;
    for (const [path, backendCase] of await readBackendCases()) {
      if (EXCEPTIONS.some(([pattern]) => pattern.test(path))) continue;
      const outcomes: Outcome[] = [];
      for (const engineCase of engineCases(backendCase)) {
        const outcome = await runCase(engineCase);
        outcomes.push(outcome);
        if ('problem' in outcome) problems.push(`${path}: ${outcome.problem}`);
        else if ('ran' in outcome) runs += 1;
      }
      const operator = operatorOf(backendCase);
      if (outcomes[0] && operator !== undefined) addTo(tallies, operator, outcomes);
    }
    expect(problems).toEqual([]);
    expect(runs).toBeGreaterThanOrEqual(RUNS);
    await expect(render(tallies)).toMatchFileSnapshot(
      join(import.meta.dirname, 'fixtures', 'engine-backend.md'),
    );
  }, 600_000);
});

/** A model that the engine may run, its inputs and what it should give. */
interface EngineCase {
  readonly model: Model;
  readonly feeds: ReadonlyMap<string, Float32Array>;
  readonly expected: readonly DenseTensor[];
}

type Outcome = { readonly ran: true } | { readonly refusal: string } | { readonly problem: string };

/** The first input of numbers at run time; then all of float32, where there are several. None for other types. */
function engineCases({ model: bytes, inputs, outputs }: BackendCase): EngineCase[] {
  const model = readable(bytes);
  if (model === undefined || !model.graph.outputs.every(isTensorOfNumbers)) return [];
  let given: Tensor[];
  let expected: Tensor[];
  try {
    given = inputs.map(readValue);
    expected = outputs.map(readValue);
  } catch {
    return []; // sequences and optionals
  }
  const dense = (tensor: Tensor): tensor is DenseTensor => tensor.kind === 'dense';
  if (!given.every(dense) || !expected.every(dense)) return [];
  const isRunnable = given.map(({ dtype }) => isEngineType(dtype));
  const first = isRunnable.indexOf(true);
  if (first < 0) return [];
  const floats = [...given.keys()].filter((slot) => given[slot]!.dtype === 'float32');
  const choices = floats.length > 1 ? [[first], floats] : [[first]];
  return choices.map((slots) => caseWith(readOnnx(bytes), given, expected, slots));
}

function readable(bytes: Uint8Array): Model | undefined {
  try {
    return readOnnx(bytes);
  } catch {
    return undefined; // reading is tested elsewhere
  }
}

function isTensorOfNumbers({ type }: Model['graph']['outputs'][number]): boolean {
  return type?.kind === 'tensor' && (isEngineType(type.dtype) || isWhole(type.dtype));
}

/** Outputs that the engine gives as int32. */
function isWhole(dtype: string): boolean {
  return dtype === 'int64' || dtype === 'int32';
}

function isEngineType(dtype: string): boolean {
  return dtype === 'float32' || dtype === 'uint8' || dtype === 'int8';
}

/** Freezes the inputs of the other slots. The engine takes and gives float32: bytes are quantized and dequantized with scale 1. */
function caseWith(
  model: Model,
  given: readonly DenseTensor[],
  expected: readonly DenseTensor[],
  slots: readonly number[],
): EngineCase {
  const { graph } = model;
  const feeds = new Map<string, Float32Array>();
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  graph.inputs = [];
  given.forEach((tensor, slot) => {
    const { name } = inputs[slot]!;
    if (!slots.includes(slot)) return graph.initializers.set(name, tensor);
    const isFloat = tensor.dtype === 'float32';
    const fed = isFloat ? name : `${name}.float`;
    graph.inputs.push({ name: fed, type: { kind: 'tensor', dtype: 'float32', shape: [...tensor.dims] } });
    feeds.set(fed, Float32Array.from(tensorNumbers(tensor)));
    if (!isFloat) graph.nodes.unshift(gridNode(model, 'QuantizeLinear', fed, name, tensor.dtype));
    return undefined;
  });
  graph.outputs = graph.outputs.map((output, index) => {
    const { dtype } = expected[index]!;
    if (dtype === 'float32' || isWhole(dtype)) return output;
    graph.nodes.push(gridNode(model, 'DequantizeLinear', output.name, `${output.name}.float`, dtype));
    return { name: `${output.name}.float` };
  });
  return { model, feeds, expected };
}

function gridNode({ graph }: Model, opType: string, from: string, to: string, dtype: string) {
  graph.initializers.set('unit scale', denseTensor('float32', [], Float32Array.of(1)));
  const zero =
    dtype === 'int8'
      ? denseTensor('int8', [], new Int8Array(1))
      : denseTensor('uint8', [], new Uint8Array(1));
  graph.initializers.set(`${dtype} zero`, zero);
  return {
    name: to,
    opType,
    domain: '',
    inputs: [from, 'unit scale', `${dtype} zero`],
    outputs: [to],
    attributes: new Map(),
  };
}

async function runCase(engineCase: EngineCase): Promise<Outcome> {
  let artifact: EdgeArtifact;
  try {
    artifact = await compileCase(engineCase.model);
  } catch (error) {
    if (error instanceof CompilerError && error.code === 'unsupported') {
      const named = error.at?.node ?? error.at?.value ?? error.diagnostics[0]?.at?.node;
      return named ? { refusal: error.message } : { problem: `the refusal names no node: ${error.message}` };
    }
    return { problem: `not refused, but thrown: ${(error as Error).stack}` };
  }
  try {
    return (await runCompiled(artifact, engineCase)) ?? { ran: true };
  } catch (error) {
    return { problem: `compiled, but does not run: ${(error as Error).message}` };
  }
}

async function runCompiled(
  artifact: EdgeArtifact,
  { model, feeds, expected }: EngineCase,
): Promise<Outcome | undefined> {
  const packaged = await buildPackage({
    description: { name: 'test', task: 'test' },
    model: artifact.model,
    files: artifact.files,
  });
  for (const rung of ['simd', 'relaxed'] as const) {
    const session = await createSession(packaged, { rung, threads: 1 });
    const results = await session.run(Object.fromEntries(feeds));
    session.dispose();
    for (const [index, { name }] of model.graph.outputs.entries()) {
      const [result, tensor] = [results[name]!, expected[index]!];
      if (result.shape.join() !== tensor.dims.join())
        return { problem: `${name} is [${result.shape.join()}] instead of [${tensor.dims.join()}]` };
      const tolerance = isWhole(tensor.dtype) ? {} : TOLERANCE;
      const worst = worstDifference(result.data, tensorNumbers(tensor), tolerance);
      if (worst && worst.failing > 0) return { problem: `${name} on ${rung}: ${JSON.stringify(worst)}` };
    }
  }
  return undefined;
}

/** The first recipe whose graph the engine takes; else the last one's refusal. */
async function compileCase(model: Model): Promise<EdgeArtifact> {
  let refusal: unknown;
  for (const recipe of RECIPES) {
    const compact = await runPasses(model, recipe());
    try {
      return compileEdge(compact.model);
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

/** The operator that a case is about; undefined where it is about a function that is written out. */
function operatorOf({ model }: BackendCase): string | undefined {
  const { nodes } = readOnnx(model).graph;
  return nodes.length === 1 ? nodes[0]!.opType : undefined;
}

function addTo(tallies: Map<string, Tally>, operator: string, outcomes: readonly Outcome[]): void {
  const tally = tallies.get(operator) ?? { ran: 0, refused: new Map() };
  tallies.set(operator, tally);
  const [first] = outcomes;
  if (outcomes.some((outcome) => 'ran' in outcome)) tally.ran += 1;
  else if (first && 'refusal' in first) {
    const reason = shorten(first.refusal);
    tally.refused.set(reason, (tally.refused.get(reason) ?? 0) + 1);
  }
}

const NO_KERNEL = 'no kernel';

/** The reason of a refusal, without what is particular to one case. */
function shorten(message: string): string {
  const [, reason = message] = /^The engine cannot run \w+ "[^"]*": (.*)\.$/.exec(message) ?? [];
  return reason
    .replace(/\.$/, '')
    .replace(/^Input "[^"]*" is empty.*/, 'an input without elements')
    .replace(/"[^"]*" /, '')
    .replace(/^The engine has no kernel for .*/, NO_KERNEL);
}

/** A line for each operator; at the end those without a kernel. */
function render(tallies: ReadonlyMap<string, Tally>): string {
  const sorted = [...tallies].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const isUnknown = ({ ran, refused }: Tally): boolean =>
    ran === 0 && [...refused.keys()].join() === NO_KERNEL;
  const lines = sorted
    .filter(([, tally]) => !isUnknown(tally))
    .map(([operator, { ran, refused }]) => {
      const reasons = [...refused].map(([reason, count]) => `${count} refused: ${reason}`);
      return `- ${operator}: ${[`${ran} run`, ...reasons].join('; ')}`;
    });
  const unknown = sorted.filter(([, tally]) => isUnknown(tally)).map(([operator]) => operator);
  return `${lines.join('\n')}\n\nWithout a kernel: ${unknown.join(', ')}.\n`;
}
