import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { repoRoot } from '@edgewise/test-utils';
import { expect, it } from 'vitest';

/** MB of V8's old space. Reading these files message by message takes under 96; decoding them as a whole over 128. */
const HEAP_MB = 112;

const FILE_BYTES = 8_000_000;

const COMPILER = pathToFileURL(join(repoRoot, 'packages/compiler/dist/compiler.js')).href;
const READ = `
const { readFileSync } = await import('node:fs');
const { readOnnx, CompilerError } = await import(${JSON.stringify(COMPILER)});
for (const file of process.argv.slice(1)) {
  let outcome = 'read';
  try {
    readOnnx(new Uint8Array(readFileSync(file)));
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    outcome = error.code;
  }
  console.log(outcome);
}`;

const text = (field: number, value: string): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish();
const number = (field: number, value: number): Uint8Array =>
  new BinaryWriter().tag(field, WireType.Varint).uint32(value).finish();
const message = (field: number, ...parts: Uint8Array[]): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(Buffer.concat(parts)).finish();

// Numbers of the fields in onnx.proto.
const RELU = message(1, text(4, 'R'));
const EMPTY_TENSOR = [number(1, 0), number(2, 1)];
const ATTRIBUTE_TENSOR = message(10, ...EMPTY_TENSOR);
const EMPTY_NODE = message(1);
const graphAttribute = (...graph: Uint8Array[]): Uint8Array =>
  message(1, text(4, 'If'), message(5, text(1, 'a'), number(20, 5), message(6, ...graph)));
const EMPTY_IF = graphAttribute();
const INTEGER = number(20, 2);
const times = (count: number, part: (i: number) => Uint8Array): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, (_, i) => part(i)));
const name = (i: number): string => i.toString(36);

/** An ONNX file of 8 MB, most of it the graph's documentation: what may be built grows with the file. */
function fileOf(...graph: Uint8Array[]): Uint8Array {
  const content = Buffer.concat(graph);
  return message(7, content, text(10, ' '.repeat(Math.max(0, FILE_BYTES - content.length))));
}

it('files of 8 MB are read or refused in a small heap, whatever is in them', () => {
  const files: [outcome: string, file: Uint8Array][] = [
    ['bad-file', fileOf(times(490_000, () => EMPTY_NODE))],
    ['read', fileOf(times(300_000, () => RELU))],
    ['too-large', fileOf(times(400_000, () => RELU))],
    ['read', fileOf(graphAttribute(times(300_000, () => RELU)))],
    ['read', fileOf(times(50_000, () => EMPTY_IF))],
    ['read', fileOf(message(1, text(4, 'R'), times(300_000, (i) => message(5, text(1, name(i)), INTEGER))))],
    ['read', fileOf(times(250_000, (i) => message(5, ...EMPTY_TENSOR, text(8, name(i)))))],
    ['read', fileOf(message(1, text(4, 'R'), message(5, text(1, 'a'), number(20, 9), times(250_000, () => ATTRIBUTE_TENSOR))))],
    ['read', fileOf(message(1, text(4, 'R'), message(5, text(1, 'a'), number(20, 7), message(8, new Uint8Array(1_500_000)))))],
  ]; // prettier-ignore
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-memory-'));
  try {
    const paths = files.map(([, file], i) => {
      const path = join(folder, `${i}.onnx`);
      writeFileSync(path, file);
      return path;
    });
    const child = spawnSync(process.execPath, [`--max-old-space-size=${HEAP_MB}`, '--input-type=module', '-e', READ, ...paths], { encoding: 'utf8' }); // prettier-ignore
    expect(child.stderr).toBe('');
    expect(child.stdout.trim().split('\n')).toEqual(files.map(([outcome]) => outcome));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
