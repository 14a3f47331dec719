import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { operators, type OpDefinition } from '../src/ops/index.ts';

const INTRODUCTION = `# Operators

What the compiler knows of each operator. This page is generated from \`packages/compiler/src/ops\`:
\`npx vitest run packages/compiler/test/operators-page.test.ts -u\`.

Types and shapes of all operators listed here are inferred, with symbolic dimensions. Where the column says so, the reference evaluator
runs the operator too: constants that depend on it can be folded, and passes around it can be checked numerically.
What a package's program can compute is another question: that is the compact graph (the domain \`edgewise\`).

An operator that is not listed is kept as it is by every transform; types that the model declares for its outputs are used.
`;

const DOMAINS: readonly (readonly [domain: string, title: string])[] = [
  ['', 'ai.onnx'],
  ['com.microsoft', 'com.microsoft'],
  ['edgewise', 'edgewise'],
];

it('docs/operators.md lists the operators that there are', async () => {
  const sections = DOMAINS.map(([domain, title]) => renderDomain(domain, title));
  await expect([INTRODUCTION, ...sections].join('\n')).toMatchFileSnapshot(
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
    .map((operator) => [operator.opType, versions(operator), operator.evaluate ? 'yes' : 'no']);
  return `## ${title}\n\n${renderTable([['operator', 'version', 'evaluated'], ...rows])}`;
}

function versions({ since, until }: OpDefinition): string {
  return until === undefined ? `${since} and later` : `${since} to ${until - 1}`;
}

/** Columns padded to the same width, as the formatter wants them. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`;
}
