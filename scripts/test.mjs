// npm test: lint, types and build, then every test. Stops at the first step that fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import process from 'node:process';

const RESULTS = '.cache/vitest.json';

run('npm', ['run', '--silent', 'lint']);
run('npm', ['run', '--silent', 'build']);

const { ensureChromium, installHint } = await import('../packages/test-utils/dist/find-chromium.js');
if (!ensureChromium()) {
  console.error(process.env['CI'] ? installHint() : `skipping the browser tests: ${installHint()}`);
  if (process.env['CI']) process.exit(1);
}

mkdirSync('.cache', { recursive: true });
rmSync(RESULTS, { force: true });
const vitest = spawn('npx', [
  '--no-install',
  'vitest',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${RESULTS}`,
  ...process.argv.slice(2),
]);
if (existsSync(RESULTS)) {
  const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = results.testResults;
  // A file that breaks outside its tests fails without a failed test.
  const broken = files.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = results.numFailedTests + broken.length;
  console.log(
    `${results.numPassedTests} passed, ${Math.max(failed, vitest === 0 ? 0 : 1)} failed, ${results.numPendingTests} skipped`,
  );
}
process.exit(vitest);

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const status = spawn(command, args);
  if (status !== 0) process.exit(status);
}

/** @param {string} command @param {string[]} args @returns {number} exit status */
function spawn(command, args) {
  // Windows finds npm and npx (.cmd files) only through a shell.
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  return status ?? 1;
}
