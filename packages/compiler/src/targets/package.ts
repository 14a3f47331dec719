import {
  FORMAT,
  FORMAT_VERSION,
  MANIFEST_FILE,
  type FileEntry,
  type Manifest,
} from '@edgewise/runtime/format';

/** What a package says of itself besides its model and its files. */
export type PackageDescription = Omit<Manifest, 'format' | 'formatVersion' | 'model' | 'files'>;

export interface PackageParts {
  readonly description: PackageDescription;
  readonly model: Manifest['model'];
  /** By plain file name: the model's files, tokenizer and so on. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The files of a package (docs/package-format.md), manifest first. */
export async function buildPackage({
  description,
  model,
  files,
}: PackageParts): Promise<Map<string, Uint8Array>> {
  const entries = await Promise.all(
    [...files].map(async ([name, bytes]) => [name, await describeFile(bytes)] as const),
  );
  const manifest: Manifest = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    ...description,
    model,
    files: Object.fromEntries(entries),
  };
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  return new Map([[MANIFEST_FILE, new TextEncoder().encode(text)], ...files]);
}

async function describeFile(bytes: Uint8Array): Promise<FileEntry> {
  const hash = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  const sha256 = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { bytes: bytes.length, sha256 };
}
