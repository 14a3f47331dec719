import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { operators, type OpDefinition } from '../src/ops/index.ts';
import { ENGINE_OPERATORS } from '../src/targets/index.ts';
import { renderTable } from './render-table.ts';

const INTRODUCTION = `# Operators

What the compiler knows of each operator. This page is generated from \`packages/compiler/src/ops\`:
\`npx vitest run packages/compiler/test/operators-page.test.ts -u\`.

Types and shapes of all operators listed here are inferred, with symbolic dimensions. Where the column says so, the reference evaluator
runs the operator too: constants that depend on it can be folded, and passes around it can be checked numerically.
Operators that have a kernel are marked as run by the engine: in float32, those of quantized graphs in bytes, those that find places in whole numbers, with fixed dimensions (or tokens of
encoders with batch 1). Models reach it as compact graphs, in which matrix products, normalizations and most activations have become operators of the
domain \`edgewise\`, and ConvTranspose, InstanceNormalization and Einsum other operators of the list. \`compileEdge\` refuses with a message what a kernel does not do; the last section lists what the
engine runs and refuses of ONNX's own tests.

An operator that is not listed is kept as it is by every transform; types that the model declares for its outputs are used.
`;

const ENGINE_CASES = `## What the engine runs of ONNX's backend tests

Cases of ONNX 1.19 that are one node with fixed extents on float32 or bytes, one input at run time and the others constant (as weights
are), or all at run time, through \`compactConvNet\` or \`compactRecurrentNet\`. All that run give the expected outputs; \`packages/compiler/test/engine-backend.test.ts\`
runs them and counts (\`-u\` after a change, then this page's test).

`;
const engineCases = readFileSync(join(import.meta.dirname, 'fixtures', 'engine-backend.md'), 'utf8');

const DOMAINS: readonly (readonly [domain: string, title: string])[] = [
  ['', 'ai.onnx'],
  ['com.microsoft', 'com.microsoft'],
  ['edgewise', 'edgewise'],
];

it('docs/operators.md lists the operators that there are', async () => {
  const sections = DOMAINS.map(([domain, title]) => renderDomain(domain, title));
  await expect([INTRODUCTION, ...sections, `${ENGINE_CASES}${engineCases}`].join('\n')).toMatchFileSnapshot(
    join(repoRoot, 'docs', 'operators.md'),
  );
});

it('has a section for every domain', () => {
  const domains = new Set(operators.map((operator) => operator.domain));
  expect([...domains].toSorted()).toEqual(DOMAINS.map(([domain]) => domain).toSorted());
});

function renderDomain(domain: string, title: string): string {
  const rows = operators
    .filter((operator) => operator.domain === domain)
    .toSorted((a, b) => (a.opType < b.opType ? -1 : 1))
    .map((operator) => [
      operator.opType,
      versions(operator),
      operator.evaluate ? 'yes' : 'no',
      ENGINE_OPERATORS.includes(qualifiedName(operator)) ? 'yes' : '',
    ]);
  return `## ${title}\n\n${renderTable([['operator', 'version', 'evaluated', 'engine'], ...rows])}`;
}

function qualifiedName({ domain, opType }: OpDefinition): string {
  return domain === '' ? opType : `${domain}.${opType}`;
}

function versions({ since, until }: OpDefinition): string {
  return until === undefined ? `${since} and later` : `${since} to ${until - 1}`;
}
