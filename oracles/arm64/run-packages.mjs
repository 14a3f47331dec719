// Runs every package of a folder on every rung and exact mode: node run-packages.mjs PACKAGES KERNELS.json
// Prints one JSON object: the machine, the kernel suite's answer, the probed modes, and a hash of the outputs per variant.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { arch, argv, env, versions } from 'node:process';
import { createSession } from '@edgewise/runtime';
import { load } from '@edgewise/runtime/text-classification';

const [folder, kernelsFile] = argv.slice(2);
if (!folder || !kernelsFile) throw new Error('usage: node run-packages.mjs PACKAGES KERNELS.json');
const kernels = JSON.parse(readFileSync(kernelsFile, 'utf8'));
/** Dots of 7-bit weights are exact in more modes. */
const modesOf = (name) => kernels.relaxed.exactModes[/float32|w7/.test(name) ? 7 : 8];

const SENTENCES = [
  'great film',
  'A dull, lifeless mess of a movie.',
  'naïve café — 映画',
  'ok',
  'x '.repeat(200),
];

const variantsOf = (name) => [
  ['simd', { rung: 'simd', threads: 1 }],
  ['simd, 3 threads', { rung: 'simd', threads: 3 }],
  ['relaxed, probed', { rung: 'relaxed', threads: 1 }],
  ['relaxed, probed, 2 threads', { rung: 'relaxed', threads: 2 }],
  ...modesOf(name).map((mode) => [`relaxed, ${mode}`, { rung: 'relaxed', mode, threads: 1 }]),
];

const probed = new Set();
const packages = {};
for (const name of readdirSync(folder).sort()) {
  packages[name] = {};
  for (const [variant, options] of variantsOf(name)) {
    packages[name][variant] = await outputsHash(join(folder, name), options, variant === 'relaxed, probed');
  }
}
const machine = { arch, cpu: env['CPU_NAME'] ?? 'host', node: versions.node, v8: versions.v8 };
console.log(JSON.stringify({ machine, kernels, probed: [...probed], packages }));

async function outputsHash(path, options, isProbed) {
  const hash = createHash('sha256');
  const session = await createSession(path, options);
  if (isProbed) probed.add(session.info.mode);
  for (const length of [1, 2, 7, 8, 9, 33, 40]) {
    const ids = Array.from({ length }, (_, i) => 2 + ((i * 37 + length) % 90));
    const mask = ids.map((_, i) => (length === 9 && (i === 4 || i === 8) ? 0 : 1));
    const outputs = await session.run({ input_ids: ids, attention_mask: mask });
    for (const { data } of Object.values(outputs)) hash.update(new Uint8Array(data.buffer));
  }
  session.dispose();
  if (path.includes('sentiment')) {
    const classify = await load(path, options);
    hash.update(JSON.stringify(await classify(SENTENCES)));
    classify.dispose();
  }
  return hash.digest('hex').slice(0, 32);
}
