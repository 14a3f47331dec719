import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const KERNELS = new URL('../../packages/compiler/test/kernels/', import.meta.url);

/**
 * A source of packages/compiler/test/kernels with all that it imports, as one script.
 * @param {string} source for example `bench.ts` @param {string} [name] global that gets its exports
 */
export async function bundleKernels(source, name) {
  const build = await rolldown({ input: fileURLToPath(new URL(source, KERNELS)) });
  const { output } = await build.generate({ format: 'iife', ...(name && { name }) });
  await build.close();
  return output[0].code;
}
