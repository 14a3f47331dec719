// Compares runs of run-packages.mjs with the first of them, bit for bit: node compare.mjs FIRST.json OTHER.json…
// Prints the summary kept in oracles/results/arm64.json; exits 1 when anything differs or a kernel case failed.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const runs = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const [first] = runs;
if (!first) throw new Error('usage: node compare.mjs FIRST.json OTHER.json…');

const hashes = Object.fromEntries(
  Object.entries(first.packages).map(([name, variants]) => [name, variants['simd']]),
);
const summaries = runs.map(({ machine, kernels, probed, packages }) => ({
  ...machine,
  kernels: Object.fromEntries(
    Object.entries(kernels).map(([rung, { cases, failures, exactModes }]) => [
      rung,
      { cases, failures, exactModes },
    ]),
  ),
  probed,
  variants: [...new Set(Object.values(packages).flatMap((variants) => Object.keys(variants)))],
  different: Object.entries(hashes).flatMap(([name, expected]) =>
    Object.entries(packages[name] ?? { missing: '' }).flatMap(([variant, hash]) =>
      hash === expected ? [] : [`${name}: ${variant}`],
    ),
  ),
}));
console.log(JSON.stringify({ runs: summaries, hashes }, undefined, 2));
const bad = summaries.some(
  ({ kernels, different }) =>
    different.length > 0 || Object.values(kernels).some(({ failures }) => failures.length > 0),
);
process.exitCode = bad ? 1 : 0;
