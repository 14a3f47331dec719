import type sharp from 'sharp';

/** The library that reads and writes images: 25 MB and a tenth of a second, so only commands that see an image load it. */
export async function loadSharp(): Promise<typeof sharp> {
  return (await import('sharp')).default;
}
