import { DETECTORS } from '../detectors.mjs';
import { NETWORKS } from '../vision.mjs';
import { openClassifier, openDetector } from './images.mjs';
import { SOUNDS } from './sounds.mjs';
import { openText, TEXTS } from './texts.mjs';

/**
 * All models whose quality can be measured, one at a time in memory: texts, images, sounds.
 * @param {{ models: string, only: string | undefined }} options
 */
export async function* openSubjects(options) {
  const all = [
    ...TEXTS.map((text) => ({ name: text.name, open: () => openText(options, text) })),
    ...NETWORKS.map((network) => ({ name: network.name, open: () => openClassifier(network) })),
    ...DETECTORS.map((detector) => ({ name: detector.name, open: () => openDetector(detector) })),
    ...SOUNDS,
  ];
  for (const { name, open } of all) if (name.includes(options.only ?? '')) yield await open();
}
