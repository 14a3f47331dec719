import { runPasses, type Model } from '@edgewise/compiler';
import { originalPackage } from '../subjects/original-package.ts';
import type { Work } from '../pipelines/pipeline.ts';
import type { Subject } from '../subjects/subject.ts';

/** The compact graph, which all candidates of a subject begin with; every rewrite is checked on inputs. */
export async function makeCompact(subject: Subject, { progress, signal }: Work): Promise<Model> {
  const { model, pipeline } = subject;
  progress.stage('simplify the graph');
  const { model: compact, diagnostics } = await runPasses(model, pipeline.passes, {
    samples: await pipeline.samples(await originalPackage(subject)),
    evaluate: pipeline.evaluate,
    ...(pipeline.noise ? { noise: pipeline.noise } : {}),
    signal,
    onProgress: ({ pass }) => progress.update(pass),
  });
  for (const { message, hint } of diagnostics) progress.warn(hint ? `${message} ${hint}` : message);
  progress.done(`${model.graph.nodes.length} → ${compact.graph.nodes.length} operators`);
  return compact;
}
