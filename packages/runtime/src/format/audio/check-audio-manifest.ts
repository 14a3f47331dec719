import { at, fail, int, list, optional, text, type Field } from '../check.ts';
import { checkScores } from '../check-scores.ts';
import type { Manifest } from '../manifest.ts';
import { checkAudioInput } from './check-audio-input.ts';

const MAX_CONTEXT = 1 << 20;
const MAX_STATES = 32;

/**
 * Checks what only audio tasks read: `validateManifest` leaves it out so that text tasks do not carry the code. Throws
 * `RuntimeError` (`bad-package`) naming the first field that is wrong; returns its argument.
 */
export function validateAudioManifest(manifest: Manifest): AudioManifest {
  const root: Field = { value: manifest, path: '' };
  checkAudioInput(at(root, 'audio'));
  const labels = at(root, 'labels');
  if (labels.value === undefined && manifest.task === 'audio-classification') {
    fail(labels, 'an array of names');
  }
  checkScores(root);
  if (manifest.task === 'voice-activity-detection') checkVoiceActivity(root);
  return manifest as AudioManifest;
}

/** A manifest with what every audio task needs. */
export type AudioManifest = Manifest & Required<Pick<Manifest, 'audio'>>;

function checkVoiceActivity(root: Field): void {
  const features = at(at(root, 'audio'), 'features');
  if (features.value !== undefined) fail(features, 'left out: a voice activity model takes samples');
  const gain = at(at(root, 'audio'), 'gain');
  if (gain.value !== undefined && gain.value !== 'none') fail(gain, 'none: a stream is never whole');
  checkStreaming(at(root, 'streaming'));
  optional(at(root, 'threshold'), (field) => {
    if (!((field.value as number) > 0 && (field.value as number) < 1))
      fail(field, 'a number between 0 and 1');
  });
}

function checkStreaming(streaming: Field): void {
  optional(at(streaming, 'context'), (field) => int(field, 0, MAX_CONTEXT));
  const names = new Set<string>();
  for (const state of list(at(streaming, 'states'), 0, MAX_STATES)) {
    const input = at(state, 'input');
    if (names.has(text(input))) fail(input, 'a name that no other state has');
    names.add(text(input));
    text(at(state, 'output'));
  }
}
