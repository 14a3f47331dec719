import type { Progress } from '../../terminal/progress.ts';
import { breathe } from './breathe.ts';

/** The items one after the other, with the count on the progress line and room for Ctrl+C. */
export async function* counted<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  total: number,
  progress: Progress,
): AsyncGenerator<Item> {
  let index = 0;
  for await (const item of items) {
    progress.update(`${index++} of ${total}`);
    yield item;
    await breathe();
  }
}
