import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { resampleProgramSource } from './resample-program.ts';

it('resample-program.ts holds what the assembler makes', async () => {
  const file = join(repoRoot, 'packages/runtime/src/image/resample-program.ts');
  await expect(resampleProgramSource()).toMatchFileSnapshot(file);
});
