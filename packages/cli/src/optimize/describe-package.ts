import type { PackageDescription } from '@edgewise/compiler';
import type { ModelFolder } from '../files/read-model-folder.ts';
import type { TaskName } from '../measure/open-task.ts';

export const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

/** What every candidate's manifest says, whatever its model. */
export function describePackage(folder: ModelFolder, task: TaskName, maxTokens: number): PackageDescription {
  const tokenizer = {
    file: TOKENIZER_FILE,
    ...(folder.tokenizerConfig ? { configFile: TOKENIZER_CONFIG_FILE } : {}),
    maxLength: maxTokens,
  };
  const common = { name: folder.name, task, tokenizer };
  if (task === 'feature-extraction')
    return { ...common, pooling: folder.pooling, normalize: folder.normalize };
  return { ...common, labels: folder.labels, ...(folder.multiLabel ? { multiLabel: true } : {}) };
}

/** The tokenizer's files by their names in a package. */
export function tokenizerFiles({ tokenizer, tokenizerConfig }: ModelFolder): Map<string, Uint8Array> {
  const files = new Map([[TOKENIZER_FILE, tokenizer]]);
  if (tokenizerConfig) files.set(TOKENIZER_CONFIG_FILE, tokenizerConfig);
  return files;
}
