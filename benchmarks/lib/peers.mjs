import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of a peer that benchmarks/package.json names. @param {string} name for example `onnxruntime-web` */
export function peerFolder(name) {
  const folder = fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
  if (existsSync(folder)) return folder;
  throw new Error(`${name} is not installed: npm ci --prefix benchmarks`);
}

/** The onnxruntime-web that transformers.js brings: its own when its version differs from the other's. */
export function transformersRuntimeFolder() {
  const own = fileURLToPath(
    new URL('../node_modules/@huggingface/transformers/node_modules/onnxruntime-web', import.meta.url),
  );
  return existsSync(own) ? own : peerFolder('onnxruntime-web');
}

/** A peer as a module: untyped, for only those who measure install peers. @param {string} name @returns {Promise<any>} */
export async function importPeer(name) {
  peerFolder(name);
  return import(name);
}
