// The page of an encoder of images: one picture against a few, by the cosine of their vectors, in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { cosine } from './cosine.js';
import { bar, byId, element, runPage, showAnswer } from './page.js';
import { fetchPicture, whileLooking } from './pictures.js';
import { load } from './runtime/image-feature-extraction.js';
import { EXAMPLES } from './page-config.js';

const ranking = Object.assign(element('ol', ''), { id: 'ranking', className: 'pictures' });
ranking.setAttribute('aria-label', 'Cosine similarity of each picture, closest first');
byId('scores').replaceWith(ranking);

await runPage(load, async (embed) => {
  const others = await Promise.all(EXAMPLES.map(fetchPicture));
  const vectors = await embed(others);
  whileLooking(EXAMPLES, async (picture) => {
    const start = performance.now();
    const own = await embed(picture);
    const milliseconds = performance.now() - start;
    const ranked = EXAMPLES.map((address, i) => ({
      address,
      name: `Picture ${i + 1}`,
      similarity: cosine(own, vectors[i] ?? []),
    })).sort((a, b) => b.similarity - a.similarity);
    return () => {
      showAnswer(`${ranked.length} pictures, closest first`, milliseconds);
      showRanking(ranked);
    };
  });
});

/** @param {readonly { address: string, name: string, similarity: number }[]} ranked closest first */
function showRanking(ranked) {
  ranking.replaceChildren(
    ...ranked.map(({ address, name, similarity }) => {
      const row = document.createElement('li');
      const image = Object.assign(document.createElement('img'), { src: address, alt: name });
      row.append(image, ...bar(name, similarity, similarity.toFixed(3)));
      return row;
    }),
  );
}
