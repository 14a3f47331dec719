import { expect, it } from 'vitest';
import { f32, f32x4, i32, i32x4, memoryFlagOffset, ModuleBuilder, v128 } from './index.ts';

function instantiate(bytes: Uint8Array<ArrayBuffer>, memory?: WebAssembly.Memory) {
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(bytes),
    memory ? { env: { memory } } : {},
  );
  return exports as Record<string, (...args: number[]) => number>;
}

it('writes loops, branches, calls, results and globals', () => {
  const m = new ModuleBuilder();
  const calls = m.globalI32(5);
  const square = m.function('square', { params: { x: 'i32' }, result: 'i32' }, (f, { x }) => {
    f.set(calls, i32.add(calls, 1));
    f.return(i32.mul(x, x));
  });
  m.function('squares', { params: { n: 'i32' }, result: 'i32', export: 'squares' }, (f, { n }) => {
    const i = f.local('i32');
    const sum = f.local('i32');
    f.block((done) => {
      f.whileBelow(i, n, 1, () => {
        f.if(
          i32.and(i, 1),
          () => f.increment(sum, f.invoke(square, { x: i })),
          () => f.increment(sum, -1),
        );
        f.branchIf(done, i32.gtS(sum, 1000));
      });
    });
    f.return(sum);
  });
  m.function('calls', { params: {}, result: 'i32', export: 'calls' }, (f) => f.return(calls));
  const { squares, calls: count } = instantiate(m.finish());
  expect(squares?.(6)).toBe(1 + 9 + 25 - 3);
  expect(squares?.(0)).toBe(0);
  expect(squares?.(1000)).toBe(1330 - 10);
  expect(count?.()).toBe(5 + 3 + 10);
});

it('encodes constants, memory access with offsets, vectors and data', () => {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', { min: 1, max: 2 });
  m.data(300, Uint8Array.from([1, 2, 3, 200]));
  m.function('run', { params: { at: 'i32' }, export: 'run' }, (f, { at }) => {
    const x = f.let(f32x4.splat(f32.const(1.5)));
    f.do(v128.store(at, f32x4.add(x, f32x4.convertI32x4S(i32x4.splat(-70000))), 160));
    f.do(i32.store(at, i32.const(-(2 ** 31)), 0), i32.store(at, 2 ** 31 - 1, 4));
    f.do(i32.store(at, -64, 8), i32.store(at, 64, 12), f32.store(at, f32.const(Math.PI), 16));
  });
  const bytes = m.finish();
  expect(WebAssembly.validate(bytes)).toBe(true);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  instantiate(bytes, memory)['run']?.(1024);
  expect([...new Uint8Array(memory.buffer, 300, 4)]).toEqual([1, 2, 3, 200]);
  expect([...new Int32Array(memory.buffer, 1024, 4)]).toEqual([-(2 ** 31), 2 ** 31 - 1, -64, 64]);
  expect(new Float32Array(memory.buffer, 1040, 1)[0]).toBe(Math.fround(Math.PI));
  expect([...new Float32Array(memory.buffer, 1024 + 160, 4)]).toEqual(Array(4).fill(-69998.5));
});

it('finds the flag that makes the memory shared', () => {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', { min: 1, max: 300 });
  m.function('f', { params: { a: 'i32', b: 'f32' }, export: 'f' }, () => undefined);
  const bytes = m.finish();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 300, shared: true });
  expect(() => instantiate(bytes, memory)).toThrow(/shared/);
  const at = memoryFlagOffset(bytes);
  expect(bytes[at]).toBe(1);
  bytes[at] = 3;
  expect(() => instantiate(bytes, memory)).not.toThrow();
  expect(memoryFlagOffset(new ModuleBuilder().finish())).toBe(-1);
});
