import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import { loadPackage } from '../session/load-package.ts';
import type { Feeds, Session, SessionOptions, Tensor } from '../session/session.ts';
import { importTokenizerLibrary, loadTokenizer, type Encode } from '../tokenizer/load-tokenizer.ts';
import { checkTask, firstOutput, type TaskHandle } from './task-handle.ts';

/** A text, or two that belong together (a question and its passage, say). */
export type TextInput = string | { readonly text: string; readonly pair: string };

export interface TextTask {
  readonly handle: TaskHandle;
  /** The model's first output for one input. */
  readonly run: (input: TextInput) => Promise<Tensor>;
}

/** Loads a package for a text task: session and tokenizer at the same time. */
export async function loadTextTask(
  platform: Platform,
  task: string,
  source: PackageSource,
  options: SessionOptions,
): Promise<TextTask> {
  const { verify = false } = options;
  // Needed whatever the manifest says, so it need not wait for it.
  const library = importTokenizerLibrary();
  const { manifest, session, beside } = await loadPackage(platform, source, options, {
    check: (found) => checkTask(found, task),
    load: (found, reader, signal) => loadTokenizer(found, reader, library, { verify, signal }),
  });
  const run = async (input: TextInput): Promise<Tensor> => {
    const outputs = await session.run(feedsFor(session, beside, input));
    return firstOutput(session, outputs);
  };
  return { handle: { manifest, session, info: session.info, dispose: () => session.dispose() }, run };
}

function feedsFor(session: Session, encode: Encode, input: TextInput): Feeds {
  const { text, pair } = typeof input === 'string' ? { text: input, pair: undefined } : input;
  if (typeof text !== 'string' || !['string', 'undefined'].includes(typeof pair)) {
    throw new RuntimeError('bad-input', 'an input is a text or { text, pair }');
  }
  const { ids, typeIds } = encode(text, pair);
  if (ids.length === 0) throw new RuntimeError('bad-input', 'the text has no tokens');
  const known: Feeds = {
    input_ids: ids,
    attention_mask: new Uint8Array(ids.length).fill(1),
    token_type_ids: typeIds,
  };
  return Object.fromEntries(
    Object.entries(known).filter(([name]) => session.inputs.some((i) => i.name === name)),
  );
}
