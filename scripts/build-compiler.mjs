// Bundles packages/compiler/src into dist/compiler.js, which is what the package's users load: two hundred modules take ten times
// as long to load as one.
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const compiler = fileURLToPath(new URL('../packages/compiler/', import.meta.url));
const { output } = await build({
  input: `${compiler}src/index.ts`,
  platform: 'neutral',
  resolve: { conditionNames: ['@edgewise/source', 'import'] },
  output: { file: `${compiler}dist/compiler.js`, format: 'esm' },
});
console.log(`compiler.js: ${Buffer.byteLength(output[0].code)} bytes`);
