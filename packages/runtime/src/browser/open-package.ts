import { httpReader } from '../package/http-reader.ts';
import { mapReader } from '../package/map-reader.ts';
import type { PackageReader, PackageSource } from '../package/package-reader.ts';

/** In pages and workers. */
export function openPackage(source: PackageSource): PackageReader {
  return typeof source === 'string' || source instanceof URL
    ? httpReader(new URL(source, globalThis.document?.baseURI ?? globalThis.location.href))
    : mapReader(source);
}
