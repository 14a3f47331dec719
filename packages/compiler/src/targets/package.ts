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
  /** Hexadecimal SHA-256 of a file. Default: Web Crypto, which copies the file to hash it. */
  readonly sha256?: (bytes: Uint8Array) => string | Promise<string>;
}

/** The files of a package (docs/package-format.md), manifest first. */
export async function buildPackage({
  description,
  model,
  files,
  sha256 = webSha256,
}: PackageParts): Promise<Map<string, Uint8Array>> {
  const entries = await Promise.all(
    [...files].map(async ([name, bytes]): Promise<[string, FileEntry]> => [
      name,
      { bytes: bytes.length, sha256: await sha256(bytes) },
    ]),
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

async function webSha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
