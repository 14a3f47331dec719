// npm run demo: the CLI on a model that ships with the repository. Further options go to 'edgewise optimize'.
//   npm run demo -- vision     another one: sentiment (the default), vision, detection
//   npm run demo -- --serve    serves the page, after making it if it is not there yet
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Options of `optimize` by the model's name, which is its folder's in models/. @type {Record<string, string>} */
const DEMOS = {
  sentiment:
    '--task text-classification --data models/sentiment/eval.tsv --calibration models/sentiment/calibration.txt --max-size 2MB --max-latency 20ms --max-drop 0.5%',
  vision:
    '--task image-classification --data models/vision/eval --calibration models/vision/calibration --max-size 300kB --max-latency 20ms --max-drop 1%',
  detection:
    '--task object-detection --data models/detection/eval --calibration models/detection/calibration --max-size 300kB --max-latency 40ms --max-drop 1%',
};
const CLI = fileURLToPath(new URL('../packages/cli/bin/edgewise.js', import.meta.url));

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// Ctrl+C is for the command that runs; its exit code is ours.
process.on('SIGINT', () => {});

const given = process.argv.slice(2);
const [first = ''] = given;
const named = first !== '' && !first.startsWith('-');
const name = named ? first : 'sentiment';
const rest = given.slice(named ? 1 : 0).filter((argument) => argument !== '--serve');
const serve = given.includes('--serve');
const out = `dist/${name}-web`;
process.exitCode = name in DEMOS ? await demo() : unknown();

async function demo() {
  const isMade = serve && rest.length === 0 && existsSync(`${out}/index.html`);
  const code = isMade ? 0 : await optimize();
  if (code === 0 && !serve && !rest.includes('--json'))
    console.error(`In this repository: npm run demo -- ${named ? `${name} ` : ''}--serve`);
  return code === 0 && serve ? edgewise('serve', out) : code;
}

function unknown() {
  console.error(`There is no demo '${name}': choose ${Object.keys(DEMOS).join(', ')}.`);
  return 2;
}

function optimize() {
  const what = `optimize models/${name} --target web --out ${out} ${DEMOS[name]}`;
  return edgewise(...what.split(' '), ...rest);
}

/** @param {string[]} args @returns {Promise<number>} exit code */
function edgewise(...args) {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, [CLI, ...args], { stdio: 'inherit' })
      .once('error', reject)
      .once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
