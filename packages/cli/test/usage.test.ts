import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandOptions } from '../src/command/build-program.ts';
import { flagText } from '../src/command/option.ts';
import { COMMANDS } from '../src/cli.ts';
import { runCli } from './run-cli.ts';

const MODEL = 'models/sentiment';
const VISION = 'models/vision';
const DATA = `${MODEL}/eval.tsv`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-usage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The flag with two of its letters swapped. */
function typo(flag: string): string {
  const swapped = flag.slice(0, 3) + (flag[4] ?? '') + (flag[3] ?? '') + flag.slice(5);
  return swapped === flag ? `${flag}x` : swapped;
}

describe('a typo in every option', () => {
  const cases = COMMANDS.flatMap((command) =>
    commandOptions(command).map(
      ([name, option]) => [command.name, flagText(name, option).split(' ')[0] ?? ''] as const,
    ),
  );

  it.each(cases)('%s %s: exit code 2 and a suggestion', async (command, flag) => {
    const { code, stdout, stderr } = await runCli(command, typo(flag));
    expect(stderr).toContain(`error: unknown option '${typo(flag)}'`);
    expect(stderr).toMatch(/\(Did you mean (one of )?--/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('bad usage', () => {
  const OUT = ['--out', 'dist/never-written'];

  it.each([
    [['optimise'], "unknown command 'optimise'\n(Did you mean optimize?)"],
    [['optimize', MODEL, ...OUT], '--data <path> is required: labelled examples'],
    [['optimize', MODEL, '--data', DATA], '--out <folder> is required: where to write'],
    [['optimize', '--data', DATA], "missing required argument 'model'"],
    [['run', 'a', 'b', 'c'], 'too many arguments'],
    [['optimize', MODEL, '--data', DATA, ...OUT, '--max-size', '3 lbs'], "'lbs' is no unit of size"],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--max-size', 'big'],
      "'big' is not a size: write for example 3MB",
    ],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--max-drop', '0.5'],
      "'0.5' is ambiguous: write 0.5% for 0.5 points",
    ],
    [['optimize', MODEL, '--data', DATA, ...OUT, '--max-latency', '-5ms'], "'-5ms' is not a time"],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--task', 'translation'],
      "'translation' is not known: choose text-classification",
    ],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--metric', 'spearman'],
      'spearman does not fit text-classification',
    ],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--max-tokens', '4096'],
      "more than the model's own limit of 128",
    ],
    [['optimize', MODEL, '--data', DATA, ...OUT, '--prune', 'heads'], '--prune needs --calibration.'],
    [
      ['optimize', MODEL, '--data', DATA, '--calibration', DATA, ...OUT, '--prune', 'heads'],
      '--prune needs --max-drop.',
    ],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--prune', 'heads,feet'],
      "'feet' is not known: choose vocabulary, layers, heads, neurons, channels",
    ],
    [
      ['optimize', VISION, '--data', DATA, ...OUT, '--task', 'image-classification', '--prune', 'heads'],
      '--prune heads does not fit image-classification.\nWhat can go of convolutional networks: channels.',
    ],
    [
      ['optimize', MODEL, '--data', DATA, ...OUT, '--prune', 'layers,channels'],
      '--prune channels does not fit text-classification.\nWhat can go of encoders of text: vocabulary, layers, heads, neurons.',
    ],
    [
      ['optimize', VISION, '--data', DATA, ...OUT, '--task', 'image-classification', '--prune', 'channels'],
      '--prune needs --calibration.',
    ],
    [['optimize', 'no/model', '--data', DATA, ...OUT], 'no/model does not exist.'],
    [['optimize', 'docs', '--data', DATA, ...OUT], 'docs has no model.onnx.'],
    [
      ['optimize', DATA, '--data', DATA, ...OUT],
      'models/sentiment/eval.tsv is no ONNX model.\nGive a folder with',
    ],
    [['optimize', MODEL, '--data', 'no.tsv', ...OUT], 'no.tsv does not exist.'],
    [['optimize', MODEL, '--data', 'docs', ...OUT], 'error: docs is a folder, not a file.'],
    [
      ['optimize', MODEL, '--data', DATA, '--out', 'package.json/out'],
      'package.json cannot be written to.\nChoose another --out.',
    ],
    [
      ['optimize', MODEL, '--data', DATA, '--out', 'packages'],
      'packages exists and is not a result of edgewise.',
    ],
    [['run', 'no/package', 'text'], 'no/package does not exist.'],
    [['run', 'docs', 'text'], 'docs has no edgewise.json.'],
    [['run', 'package.json', 'text'], 'package.json is a file, not a package folder.'],
    [['bench', 'docs'], 'docs has no edgewise.json.'],
    [['compare', 'docs', 'docs', '--data', DATA], 'docs has no edgewise.json.'],
    [['serve', 'no/folder'], 'no/folder is not a folder.'],
    [
      ['serve', 'docs', '--port', '99999'],
      "error: --port <number>: '99999' is not a whole number from 0 to 65535",
    ],
    [['inspect', 'no.onnx'], 'no.onnx does not exist.'],
    [['inspect', 'docs'], 'docs has neither model.onnx nor edgewise.json.'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(...args);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain('    at '); // no stack trace
  });

  it('says so in one line when called with nothing', async () => {
    const { code, stderr } = await runCli();
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: edgewise');
  });
});

function halfAModel(): Uint8Array {
  return readFileSync(join(repoRoot, MODEL, 'model.onnx')).subarray(0, 3_000_000);
}

describe('files of the wrong kind: exit code 1', () => {
  it('an ONNX file that is none', async () => {
    const { code, stderr } = await runCli('inspect', 'package.json');
    expect(stderr).toMatch(/^error: .*ONNX/);
    expect(code).toBe(1);
  });

  it.each([
    ['text', () => 'hello, I am text', 'It is text, perhaps an error page of a download'],
    ['half a model', halfAModel, 'The file ends too early; was the download complete?'],
    ['nothing', () => '', 'The file is empty'],
  ])('an ONNX file with %s: named, with a guess', async (_, content, hint) => {
    const file = join(folder, 'model.onnx');
    writeFileSync(file, content());
    const { code, stderr } = await runCli('inspect', file);
    expect(stderr).toMatch(/^error: .*model\.onnx: this is not a/);
    expect(stderr).toContain(`\n${hint}\n`);
    expect(code).toBe(1);
  });

  it('a folder where the model should be', async () => {
    mkdirSync(join(folder, 'folders', 'model.onnx'), { recursive: true });
    const { code, stderr } = await runCli('inspect', join(folder, 'folders'));
    expect(stderr).toMatch(/^error: .*model\.onnx is a folder, not a file\.\n$/);
    expect(code).toBe(2);
  });

  it('a classifier without names of its labels', async () => {
    const model = join(folder, 'nameless');
    mkdirSync(model);
    for (const name of ['model.onnx', 'tokenizer.json'])
      copyFileSync(join(repoRoot, MODEL, name), join(model, name));
    const out = join(folder, 'out');
    const { code, stderr } = await runCli('optimize', model, '--data', DATA, '--out', out);
    expect(stderr).toMatch(/^error: .*config\.json has no id2label\.\ntext-classification needs/i);
    expect(code).toBe(2);
  });

  it('data in another encoding', async () => {
    const data = join(folder, 'latin.tsv');
    writeFileSync(data, Uint8Array.of(0x63, 0xe9, 0x09, 0x31, 0x0a));
    const { code, stderr } = await runCli('optimize', MODEL, '--data', data, '--out', join(folder, 'out'));
    expect(stderr).toContain(`error: ${data}: is not UTF-8 text.\nSave it as text in UTF-8.`);
    expect(code).toBe(1);
  });

  it('data with a broken line, named', async () => {
    const data = join(folder, 'broken.csv');
    writeFileSync(data, 'text,label\nfine,1\n"never closed,0\n');
    const { code, stderr } = await runCli('optimize', MODEL, '--data', data, '--out', join(folder, 'out'));
    expect(stderr).toContain(`error: ${data}:3: a quoted field is not closed.`);
    expect(code).toBe(1);
  });

  it('labels that the model does not have', async () => {
    const data = join(folder, 'labels.tsv');
    writeFileSync(data, 'text\tlabel\nfine\tNEUTRAL\n');
    const { code, stderr } = await runCli('optimize', MODEL, '--data', data, '--out', join(folder, 'out'));
    expect(stderr).toContain("the model has no label 'NEUTRAL'.\nIts labels are 0 NEGATIVE, 1 POSITIVE.");
    expect(code).toBe(1);
  });

  it('a damaged package', async () => {
    const damaged = join(folder, 'damaged');
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'edgewise.json'), '{"format":"edgewise"}');
    const { code, stderr } = await runCli('run', damaged, 'text');
    expect(stderr).toMatch(/^error: edgewise\.json: /);
    expect(code).toBe(1);
  });

  it('shows the stack with --verbose', async () => {
    const { stderr } = await runCli('inspect', 'package.json', '--verbose');
    expect(stderr).toContain('    at ');
  });
});

describe('help and version', () => {
  it('lists every option of every command on stdout', async () => {
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await runCli(command.name, '--help');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const [name, option] of commandOptions(command)) expect(stdout).toContain(flagText(name, option));
      expect(stdout).toContain(`edgewise ${command.example}`);
    }
  });

  it('prints the version', async () => {
    const { code, stdout } = await runCli('--version');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
