import type { Manifest, OnnxModel } from '../format/index.ts';
import { entryOf } from '../package/entry-of.ts';
import { readFile, type PackageReader } from '../package/package-reader.ts';
import type { OnnxPlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type {
  OnnxInferenceSession,
  OnnxRuntime,
  OnnxSessionOptions,
  OnnxTensor,
  OnnxValueMetadata,
} from './onnx-runtime.ts';
import type { LoadClock } from './load-clock.ts';
import type { Feeds, Outputs, Session, SessionOptions, Tensor, TensorInfo } from './session.ts';

/** Text inputs that a caller may leave out. */
const DEFAULTS: Readonly<Record<string, number>> = { attention_mask: 1, token_type_ids: 0 };
const TYPES = {
  int64: 'int32',
  int32: 'int32',
  bool: 'int32',
  float: 'float32',
  float32: 'float32',
} as const;

/**
 * onnxruntime's int8 kernel for x86 without VNNI saturates the sums of two products, so that a model loses accuracy on
 * older CPUs only; with this it takes another there, and the same as ever elsewhere.
 */
const EXACT_INT8 = { extra: { session: { x64quantprecision: '1' } } } as const;

interface OnnxInput extends TensorInfo {
  readonly onnxType: string;
}

/** Loads an ONNX model into onnxruntime, behind the interface of our own sessions. */
export async function createOnnxSession(
  platform: OnnxPlatform,
  reader: PackageReader,
  manifest: Manifest,
  model: OnnxModel,
  options: SessionOptions,
  clock: LoadClock,
): Promise<Session> {
  const { file } = model;
  const { signal, verify = false, threads = 'auto' } = options;
  const [runtime, bytes] = await Promise.all([
    options.onnxruntime ? (options.onnxruntime as OnnxRuntime) : importRuntime(platform),
    readFile(reader, file, entryOf(manifest, file), { verify, signal }),
  ]);
  clock.files();
  const sessionOptions: OnnxSessionOptions = {
    ...(threads !== 'auto' && { intraOpNumThreads: threads }),
    ...EXACT_INT8,
  };
  const inner = await runtime.InferenceSession.create(bytes, sessionOptions).catch((cause: unknown) => {
    throw new RuntimeError('bad-package', `onnxruntime cannot load ${file}: ${(cause as Error).message}`, {
      file,
      cause,
    });
  });
  if (signal?.aborted) {
    await inner.release();
    signal.throwIfAborted();
  }
  return wrap(runtime, inner, threads === 'auto' ? 0 : threads, clock);
}

async function importRuntime(platform: OnnxPlatform): Promise<OnnxRuntime> {
  try {
    return await platform.importRuntime();
  } catch (cause) {
    const message = `this package is run by onnxruntime, which is not there: ${platform.hint}`;
    throw new RuntimeError('missing-dependency', message, { cause });
  }
}

function wrap(runtime: OnnxRuntime, inner: OnnxInferenceSession, threads: number, clock: LoadClock): Session {
  const inputs = inner.inputMetadata.map(describeInput);
  let last: Promise<unknown> = Promise.resolve();
  let disposed = false;
  const run = async (feeds: Feeds): Promise<Outputs> => {
    if (disposed) throw new RuntimeError('disposed', 'the session was disposed');
    const tensors = toTensors(runtime, inputs, feeds);
    const results = await inner.run(tensors).catch((cause: unknown) => {
      throw new RuntimeError('run-failed', `onnxruntime: ${(cause as Error).message}`, { cause });
    });
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromTensor(tensor)]));
  };
  return {
    inputs,
    outputs: inner.outputMetadata.map((value) => ({ ...describe(value), required: false })),
    info: { rung: 'onnxruntime', threads, worker: false, memoryBytes: 0, timings: clock.ready() },
    run: (feeds) => {
      const result = last.then(() => run(feeds));
      last = result.catch(() => {});
      return result;
    },
    dispose: () => {
      if (disposed) return;
      disposed = true;
      void last.then(() => inner.release());
    },
  };
}

function describe({ name, type, shape }: OnnxValueMetadata): Omit<TensorInfo, 'required'> {
  const dtype = Object.hasOwn(TYPES, type ?? '') ? TYPES[type as keyof typeof TYPES] : undefined;
  if (!dtype) throw new RuntimeError('unsupported', `tensors of type ${type} ("${name}") are not supported`);
  return { name, dtype, shape: shape ?? [] };
}

function describeInput(value: OnnxValueMetadata): OnnxInput {
  const required = !Object.hasOwn(DEFAULTS, value.name);
  return { ...describe(value), required, onnxType: value.type ?? '' };
}

function toTensors(
  runtime: OnnxRuntime,
  inputs: readonly OnnxInput[],
  feeds: Feeds,
): Record<string, OnnxTensor> {
  const unknown = Object.keys(feeds).find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    throw new RuntimeError(
      'bad-input',
      `there is no input "${unknown}"; there is ${inputs.map(({ name }) => name).join(', ')}`,
    );
  }
  const sequence = Math.max(...Object.values(feeds).map(({ length }) => length));
  return Object.fromEntries(
    inputs.map((input) => {
      const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : defaultFor(input, sequence);
      if (!feed) throw new RuntimeError('bad-input', `input "${input.name}" is missing`);
      return [input.name, toTensor(runtime, input, feed)];
    }),
  );
}

function defaultFor({ name, required }: OnnxInput, length: number): ArrayLike<number> | undefined {
  return required ? undefined : new Int32Array(length).fill(DEFAULTS[name] ?? 0);
}

function toTensor(
  runtime: OnnxRuntime,
  { name, shape, onnxType }: OnnxInput,
  feed: ArrayLike<number>,
): OnnxTensor {
  const dims = resolve(name, shape, feed.length);
  switch (onnxType) {
    case 'int64':
      return new runtime.Tensor('int64', BigInt64Array.from(Array.from(feed, BigInt)), dims);
    case 'int32':
      return new runtime.Tensor('int32', Int32Array.from(feed), dims);
    case 'bool':
      return new runtime.Tensor('bool', Uint8Array.from(feed), dims);
    default:
      return new runtime.Tensor('float32', Float32Array.from(feed), dims);
  }
}

/** Gives the last varying dimension what the number of values asks for, the others (batch) 1. */
function resolve(name: string, shape: readonly (number | string)[], length: number): number[] {
  const fixed = shape.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
  const varying = shape.findLastIndex((dim) => typeof dim === 'string');
  const size = length / fixed;
  if (!Number.isInteger(size) || size < 1 || (varying < 0 && size !== 1)) {
    throw new RuntimeError('bad-input', `input "${name}" [${shape.join(', ')}] cannot take ${length} values`);
  }
  return shape.map((dim, index) => (index === varying ? size : typeof dim === 'number' ? dim : 1));
}

function fromTensor({ type, data, dims }: OnnxTensor): Tensor {
  const dtype = type === 'float32' ? 'float32' : 'int32';
  const values = dtype === 'float32' ? (data as Float32Array) : Int32Array.from(data as Int32Array, Number);
  return { dtype, shape: dims, data: values };
}
