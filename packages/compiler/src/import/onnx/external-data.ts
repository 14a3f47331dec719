import { CompilerError } from '../../diagnostics/index.ts';

/**
 * Gives the bytes [offset, offset + length) of an external data file, or undefined when there is no such file.
 * `location` is a checked relative path with `/` (no `..`, drive, root or backslash); it is the caller's part to
 * resolve it inside the model's folder and to refuse symbolic links that lead out of it. Return a view where possible:
 * tensors keep it.
 */
export type ExternalData = (location: string, offset: number, length: number) => Uint8Array | undefined;

/** External data from whole files in memory, keyed by location. */
export function externalDataFrom(files: ReadonlyMap<string, Uint8Array>): ExternalData {
  return (location, offset, length) => files.get(location)?.subarray(offset, offset + length);
}

/**
 * The location with `.` segments removed.
 * @throws CompilerError `external-data` when the path could leave the model's folder on some system.
 */
export function checkExternalLocation(location: string, tensor: string, file: string | undefined): string {
  const segments = location.split('/').filter((segment) => segment !== '.');
  // ':' covers Windows drives, NTFS streams and URLs.
  const unsafe = /[\\:\0]/.test(location) || segments.some((segment) => segment === '' || segment === '..');
  if (unsafe || segments.length === 0) {
    throw new CompilerError(
      'external-data',
      `${tensor} keeps its data at ${JSON.stringify(location)}, which is not a plain path inside the model's folder`,
      {
        ...(file === undefined ? {} : { at: { file } }),
        hint: 'save the model again with its external data beside it, with a relative path',
      },
    );
  }
  return segments.join('/');
}
