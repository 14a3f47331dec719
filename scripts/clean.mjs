// Removes what the build and the tests made.
import { readdirSync, rmSync } from 'node:fs';

const made = [
  '.cache',
  'coverage',
  'dist',
  ...readdirSync('packages').map((name) => `packages/${name}/dist`),
];
for (const folder of made) rmSync(folder, { recursive: true, force: true });
