import { int64Tensor, type Model, type Tensor } from '@edgewise/compiler';
import { loadTokenizer } from '@edgewise/runtime/tokenizer';
import type { PackageFiles } from '../../measure/package-files.ts';
import type { Sample } from './pipeline.ts';

/** The texts as the model's inputs, unpadded, tokenized as the package does it. */
export async function tokenSamples(
  model: Model,
  packageFiles: PackageFiles,
  texts: readonly string[],
): Promise<readonly Sample[]> {
  const encode = await loadTokenizer(packageFiles);
  const wanted = new Set(model.graph.inputs.map(({ name }) => name));
  return texts.map((text) => {
    const { ids, typeIds } = encode(text);
    const dims = [1, ids.length];
    const known: [string, Tensor][] = [
      ['input_ids', int64Tensor(dims, ids)],
      [
        'attention_mask',
        int64Tensor(
          dims,
          ids.map(() => 1),
        ),
      ],
      ['token_type_ids', int64Tensor(dims, typeIds)],
    ];
    return new Map(known.filter(([name]) => wanted.has(name)));
  });
}
