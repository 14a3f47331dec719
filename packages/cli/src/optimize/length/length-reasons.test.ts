import { expect, it } from 'vitest';
import { lengthReasons } from './length-reasons.ts';

const chosen = {
  maxTokens: 16,
  truncated: 0.612,
  covering: 56,
  texts: 960,
  modelTokens: 128,
  isBounded: true,
};
const slow = { limit: 'p50', allowedMs: 0.7, tokens: 23, ms: 0.9 } as const;
const cut = "Inputs have at most 16 of the model's 128 tokens: 61.20 % of the 960 texts are cut.";
const why =
  'Half of the texts have 23 tokens or more, which take 0.90 ms and longer; --max-latency is 0.70 ms.';

it('says how many texts are cut, and which limit they are cut for', () => {
  expect(lengthReasons({ ...chosen, tooSlow: [] })).toEqual([cut]);
  expect(lengthReasons({ ...chosen, tooSlow: [slow] })).toEqual([
    cut,
    why,
    'Without that, inputs would have at most 56 tokens.',
  ]);
});

it('says what is missing for texts to be cut', () => {
  const whole = { ...chosen, maxTokens: 56, truncated: 0.005, isBounded: false };
  expect(lengthReasons({ ...whole, tooSlow: [slow] }).slice(1)).toEqual([
    why,
    'Texts are cut for that only with --max-drop, which says what it may cost.',
  ]);
  expect(lengthReasons({ ...whole, tooSlow: [] })).toHaveLength(1);
});

it('says that nothing is cut for a limit that cannot be kept', () => {
  const reasons = lengthReasons({ ...chosen, covering: 16, tooSlow: [slow, { ...slow, limit: 'p95' }] });
  expect(reasons).toEqual([
    cut,
    why,
    why.replace('Half', '5 %').replace('latency', 'latency-p95'),
    'Even 8 tokens take too long, so nothing is cut for that.',
  ]);
});
