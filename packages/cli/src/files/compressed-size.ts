import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** From here on brotli's best level takes seconds per megabyte and wins about a percent on weights. */
const BEST_UP_TO_BYTES = 1_000_000;
const FAST_QUALITY = 9;

/** Brotli as a careful host would do it: best level for small files, level 9 above a megabyte. */
export async function brotli(bytes: Uint8Array): Promise<Uint8Array> {
  const quality = bytes.length <= BEST_UP_TO_BYTES ? constants.BROTLI_MAX_QUALITY : FAST_QUALITY;
  return brotliAsync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
}

export async function gzipped(bytes: Uint8Array): Promise<Uint8Array> {
  return gzipAsync(bytes, { level: 9 });
}
