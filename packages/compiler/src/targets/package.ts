import {
  FORMAT,
  FORMAT_VERSION,
  MANIFEST_FILE,
  piecesOf,
  type FileContent,
  type FileEntry,
  type Manifest,
} from '@edgewise/runtime/format';

/** What a package says of itself besides its model and its files. */
export type PackageDescription = Omit<Manifest, 'format' | 'formatVersion' | 'model' | 'files'>;

export interface PackageParts<Content extends FileContent = Uint8Array> {
  readonly description: PackageDescription;
  readonly model: Manifest['model'];
  /** By plain file name: the model's files, tokenizer and so on. */
  readonly files: ReadonlyMap<string, Content>;
  /** Hexadecimal SHA-256 of a file. Default: Web Crypto, which copies the file to hash it. */
  readonly sha256?: (content: Content) => string | Promise<string>;
}

/** The files of a package (docs/package-format.md), manifest first. */
export async function buildPackage<Content extends FileContent = Uint8Array>({
  description,
  model,
  files,
  sha256 = webSha256,
}: PackageParts<Content>): Promise<Map<string, Content | Uint8Array>> {
  const entries = await Promise.all(
    [...files].map(async ([name, content]): Promise<[string, FileEntry]> => [
      name,
      { bytes: content.length, sha256: await sha256(content) },
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
  return new Map<string, Content | Uint8Array>([[MANIFEST_FILE, new TextEncoder().encode(text)], ...files]);
}

async function webSha256(content: FileContent): Promise<string> {
  const bytes = new Uint8Array(content.length);
  let length = 0;
  for (const piece of piecesOf(content)) {
    bytes.set(piece, length);
    length += piece.length;
  }
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
