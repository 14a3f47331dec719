import { readManifest, MANIFEST_FILE } from '@edgewise/runtime/format';
import type { DownloadBytes } from '@edgewise/compiler';
import { brotli } from '../../files/compressed-size.ts';
import { hashOf } from '../../files/hash.ts';
import type { PackageFiles } from '../../measure/package-files.ts';

type Sized = { readonly raw: number; readonly brotli: number };

/** Sizes of files seen before: candidates share tokenizer, runtime and often weights. */
export class SizeTable {
  readonly #known = new Map<string, Promise<Sized>>();

  sizeOf(bytes: Uint8Array): Promise<Sized> {
    const key = hashOf([bytes]);
    const known =
      this.#known.get(key) ?? brotli(bytes).then(({ length }) => ({ raw: bytes.length, brotli: length }));
    this.#known.set(key, known);
    return known;
  }
}

/**
 * What a device fetches: the runtime, the manifest, one program (the larger one), weights and tokenizer. An ONNX
 * package counts without a runtime: onnxruntime-web's comes on top.
 */
export async function downloadSize(
  files: PackageFiles,
  runtime: ReadonlyMap<string, Uint8Array>,
  sizes: SizeTable,
): Promise<DownloadBytes> {
  const { model } = readManifest(new TextDecoder().decode(files.get(MANIFEST_FILE)));
  const programs: readonly string[] = model.kind === 'edge' ? Object.values(model.programs) : [];
  const shared = [...files].filter(([name]) => !programs.includes(name)).map(([, bytes]) => bytes);
  const fetched = model.kind === 'edge' ? [...shared, ...runtime.values()] : shared;
  const all = await Promise.all(fetched.map((bytes) => sizes.sizeOf(bytes)));
  const alternatives = await Promise.all(
    programs.map((name) => sizes.sizeOf(files.get(name) ?? new Uint8Array())),
  );
  const [largest] = alternatives.toSorted((a, b) => b.brotli - a.brotli);
  if (largest) all.push(largest);
  return {
    raw: all.reduce((sum, { raw }) => sum + raw, 0),
    brotli: all.reduce((sum, { brotli: size }) => sum + size, 0),
  };
}
