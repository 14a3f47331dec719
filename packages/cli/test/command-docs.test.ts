import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { COMMANDS } from '../src/cli.ts';
import { commandDocs } from './command-docs.ts';

it('docs/cli.md says what the tables say', async () => {
  await expect(commandDocs(COMMANDS)).toMatchFileSnapshot(join(repoRoot, 'docs', 'cli.md'));
});
