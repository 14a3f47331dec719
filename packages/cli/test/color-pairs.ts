import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COLORS, writeColorModel, writeColorPictures } from './color-model.ts';

const PICTURES = 4;

/** Writes a model folder whose outputs are taken for vectors of pictures: config.json has no labels. */
export function writeColorEncoder(folder: string): void {
  writeColorModel(folder, { 'config.json': { edgewise: { normalize: true } } });
}

/** Writes pictures, in folders by colour, and pairs.csv beside them: all pairs, 1 where the colours are the same. */
export async function writeColorPairs(folder: string, seed: number): Promise<string> {
  await writeColorPictures(folder, PICTURES, seed);
  const files = COLORS.flatMap((color) =>
    Array.from({ length: PICTURES }, (_, i) => ({ color, name: `${color}/${i}.png` })),
  );
  const rows = files.flatMap((a, i) =>
    files.slice(i + 1).map((b) => `${a.name},${b.name},${Number(a.color === b.color)}`),
  );
  const path = join(folder, 'pairs.csv');
  writeFileSync(path, ['file,file_pair,score', ...rows].join('\n'));
  return path;
}
