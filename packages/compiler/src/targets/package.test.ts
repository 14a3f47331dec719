import { createHash } from 'node:crypto';
import { readManifest, type FileContent } from '@edgewise/runtime/format';
import { expect, it } from 'vitest';
import { buildPackage, type PackageParts } from './package.ts';

const PARTS: PackageParts = {
  description: { name: 'test', task: 'test' },
  model: { kind: 'onnx', file: 'model.onnx' },
  files: new Map([['model.onnx', Uint8Array.of(1, 2, 3)]]),
};

it('lists sizes and hashes of the files, the manifest first', async () => {
  const files = await buildPackage(PARTS);
  expect([...files.keys()]).toEqual(['edgewise.json', 'model.onnx']);
  const { files: listed } = readManifest(new TextDecoder().decode(files.get('edgewise.json')));
  const sha256 = createHash('sha256')
    .update(Uint8Array.of(1, 2, 3))
    .digest('hex');
  expect(listed).toEqual({ 'model.onnx': { bytes: 3, sha256 } });
});

it('hashes with what it is given', async () => {
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  expect(await buildPackage({ ...PARTS, sha256: hash })).toEqual(await buildPackage(PARTS));
});

it('takes files in pieces', async () => {
  const pieces = { length: 3, pieces: () => [Uint8Array.of(1), Uint8Array.of(2, 3)] };
  const { description, model } = PARTS;
  const files = await buildPackage<FileContent>({
    description,
    model,
    files: new Map([['model.onnx', pieces]]),
  });
  expect(files.get('edgewise.json')).toEqual((await buildPackage(PARTS)).get('edgewise.json'));
  expect(files.get('model.onnx')).toBe(pieces);
});
