// npm run demo: the CLI on the model that ships with the repository. Further options go to 'edgewise optimize'.
//   npm run demo -- --serve   serves the page, after making it if it is not there yet
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const OUT = 'dist/sentiment-web';
const MODEL = 'models/sentiment';
const CLI = fileURLToPath(new URL('../packages/cli/bin/edgewise.js', import.meta.url));

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// Ctrl+C is for the command that runs; its exit code is ours.
process.on('SIGINT', () => {});

const given = process.argv.slice(2);
const rest = given.filter((argument) => argument !== '--serve');
const serve = rest.length < given.length;
const code = serve && rest.length === 0 && existsSync(`${OUT}/index.html`) ? 0 : await optimize();
if (code === 0 && !serve && !rest.includes('--json'))
  console.error('In this repository: npm run demo -- --serve');
process.exitCode = code === 0 && serve ? await edgewise('serve', OUT) : code;

function optimize() {
  const what = `optimize ${MODEL} --task text-classification --target web --out ${OUT}`;
  const data = `--data ${MODEL}/eval.tsv --calibration ${MODEL}/calibration.txt`;
  const budget = '--max-size 2MB --max-latency 20ms --max-drop 0.5%';
  return edgewise(...`${what} ${data} ${budget}`.split(' '), ...rest);
}

/** @param {string[]} args @returns {Promise<number>} exit code */
function edgewise(...args) {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, [CLI, ...args], { stdio: 'inherit' })
      .once('error', reject)
      .once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
