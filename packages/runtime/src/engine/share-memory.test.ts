import { expect, it } from 'vitest';
import { seededRandom } from '@edgewise/test-utils';
import { shareMemory } from './share-memory.ts';

/** (module (import "env" "memory" (memory 1 2))), with a custom section before the import. */
const withMemory = (flag: number, kind = 2): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    [
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      [0, 3, 1, 0x61, 7],
      [2, 16, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, kind, flag, 1, 2],
    ].flat(),
  );

it('changes the flag and nothing else', () => {
  const program = withMemory(1);
  expect(WebAssembly.validate(program)).toBe(true);
  expect(shareMemory(program)).toBe(true);
  expect(program).toEqual(withMemory(3));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  expect(new WebAssembly.Instance(new WebAssembly.Module(program), { env: { memory } })).toBeDefined();
});

it('leaves alone what it does not know', () => {
  for (const program of [
    withMemory(0),
    withMemory(3),
    withMemory(1, 0),
    new Uint8Array(),
    withMemory(1).slice(0, 20),
  ]) {
    const before = program.slice();
    expect(shareMemory(program)).toBe(false);
    expect(program).toEqual(before);
  }
});

it('ends on any bytes', () => {
  const random = seededRandom(9);
  for (let round = 0; round < 2000; round++) {
    const program = withMemory(1);
    for (let i = 0; i < 3; i++) program[random.int(8, program.length - 1)] = random.int(0, 255);
    const before = program.slice();
    const changed = shareMemory(program);
    expect(program.filter((byte, i) => byte !== before[i]).length).toBe(changed ? 1 : 0);
  }
});
