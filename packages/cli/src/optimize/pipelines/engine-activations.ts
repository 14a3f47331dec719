import {
  buildPackage,
  compileActivations,
  compileEdge,
  CompilerError,
  createEvaluator,
  denseTensor,
  isFloat32,
  typedData,
  type ActivationRunner,
  type EdgeArtifact,
  type Model,
  type OpenModel,
} from '@edgewise/compiler';
import type { FileContent } from '@edgewise/runtime/format';
import { createSession, type Feeds, type Session, type SessionOptions } from '@edgewise/runtime/node';
import { sha256 } from '../../files/hash.ts';
import { breathe } from './breathe.ts';
import { joinNumbers } from './join-numbers.ts';
import type { Sample } from './pipeline.ts';

/** What calibration and pruning run the model on. */
export interface Activations {
  readonly run: ActivationRunner;
  readonly close: () => void;
}

/**
 * Opens the model so that it hands over these values: on our engine, or where that cannot run the model in the reference evaluator, which is slower
 * by far.
 * @param samples all that it will be run on: the longest one says how much room is needed
 * @param options views: what is handed over may last until the next run only
 */
export async function openActivations(
  model: Model,
  values: readonly string[],
  samples: readonly Sample[],
  { signal, views = false }: { readonly signal: AbortSignal; readonly views?: boolean },
): Promise<Activations> {
  const artifact = tryCompile(model, values, Math.max(1, ...samples.map(tokensOf)));
  if (artifact === undefined) return referenceActivations(model);
  return engineActivations(await openArtifact(artifact, { signal, outputViews: views }));
}

/** Opens models for pruning, which runs them thousands of times and never waits by itself. */
export function activationsOpener(samples: readonly Sample[], signal: AbortSignal): OpenModel {
  return async (model, values) => {
    const { run, close } = await openActivations(model, values, samples, { signal });
    const breathing: ActivationRunner = async (...given) => {
      await breathe();
      return run(...given);
    };
    return { run: breathing, close };
  };
}

function engineActivations(session: Session): Activations {
  const inputs = session.inputs.map(({ name }) => name);
  return {
    run: async (sample, want, emit) => {
      const outputs = await session.run(feedsOf(sample, inputs));
      for (const name of want) {
        const { shape, data } = outputs[name] ?? {};
        if (shape && data) emit(name, denseTensor('float32', shape, data));
      }
    },
    close: () => session.dispose(),
  };
}

/** The first output of a model for each sample, one after the other. */
export async function engineOutputs(
  model: Model,
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const maxSequence = Math.max(1, ...samples.map(tokensOf));
  const session = await openArtifact(compileEdge(model, { maxSequence }), { signal });
  const inputs = session.inputs.map(({ name }) => name);
  const numbers: Float32Array[] = [];
  try {
    for (const sample of samples) {
      const [output] = Object.values(await session.run(feedsOf(sample, inputs)));
      numbers.push(Float32Array.from(output?.data ?? []));
    }
  } finally {
    session.dispose();
  }
  return joinNumbers(numbers);
}

async function openArtifact(artifact: EdgeArtifact<FileContent>, options: SessionOptions): Promise<Session> {
  const description = { name: 'activations', task: 'activations' };
  return createSession(await buildPackage({ description, sha256, ...artifact }), options);
}

function referenceActivations(model: Model): Activations {
  const evaluate = createEvaluator();
  return {
    run: (sample, want, emit) =>
      evaluate(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
    close: () => {},
  };
}

function tryCompile(
  model: Model,
  values: readonly string[],
  maxSequence: number,
): EdgeArtifact<FileContent> | undefined {
  try {
    return compileActivations(model, values, { maxSequence });
  } catch (error) {
    if (error instanceof CompilerError && error.code === 'unsupported') return undefined;
    throw error;
  }
}

function tokensOf(sample: Sample): number {
  return Math.max(0, ...[...sample.values()].map(({ dims }) => dims[1] ?? 0));
}

function feedsOf(sample: Sample, inputs: readonly string[]): Feeds {
  return Object.fromEntries(
    inputs.flatMap((name) => {
      const tensor = sample.get(name);
      if (tensor?.kind !== 'dense') return [];
      return [[name, isFloat32(tensor) ? typedData(tensor) : Array.from(typedData(tensor), Number)]];
    }),
  );
}
