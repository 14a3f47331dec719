import { expect, it } from 'vitest';
import { readWave } from './read-wave.ts';
import { writeWave } from './write-wave.ts';

it('reads what writeWave writes', () => {
  const samples = Float32Array.from([0, 0.1, -1, 1, 3]);
  expect(readWave(writeWave(samples, 22_050))).toEqual({ samples: [samples], sampleRate: 22_050 });
});
