import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { repoRoot } from '@edgewise/test-utils';
import { timeAt, type LatencyPoint } from '@edgewise/compiler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { runCli, startCli, type CliResult } from './run-cli.ts';

const MODEL = 'models/sentiment';
const EXAMPLES = 48;

let folder = '';
let data = '';
let out = '';
let first: CliResult;

function optimize(...more: readonly string[]): string[] {
  const fixed = ['--data', data, '--target', 'node', '--cache', join(folder, 'cache')];
  return ['optimize', MODEL, ...fixed, ...more];
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-optimize-'));
  data = join(folder, 'some.tsv');
  out = join(folder, 'out');
  const lines = readFileSync(join(repoRoot, MODEL, 'eval.tsv'), 'utf8').split('\n');
  writeFileSync(data, `${lines.slice(0, EXAMPLES + 1).join('\n')}\n`);
  first = await runCli(...optimize('--out', out, '--max-size', '2MB', '--max-drop', '5%'));
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const report = (path = out): OptimizeReport =>
  JSON.parse(readFileSync(join(path, 'report.json'), 'utf8')) as OptimizeReport;

describe('edgewise optimize', () => {
  it('ends well, with the table on stdout and plain progress lines on stderr', () => {
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain('candidate ');
    expect(first.stdout).toMatch(/w7a8-dynamic .* met/);
    expect(first.stdout).toContain(`Next: edgewise run ${out}`);
    // No terminal: one finished line per stage, nothing redrawn, no colour.
    expect(first.stdout + first.stderr).not.toContain('\u001b');
    expect(first.stderr).toMatch(/^✓ candidate 0 of 5: original  6\.99 MB .* m?s$/m);
  });

  it('writes the package, the report and nothing else', () => {
    expect(readdirSync(out).sort()).toEqual([
      'edgewise.json',
      'model.relaxed.wasm',
      'model.simd.wasm',
      'model.weights',
      'report.html',
      'report.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readdirSync(folder).sort()).toEqual(['cache', 'out', 'some.tsv']);
  });

  it('reports every candidate against the original', () => {
    const { baseline, candidates, chosen, data: measured } = report();
    expect(measured).toEqual({ name: data, examples: EXAMPLES });
    expect(baseline).toMatchObject({ recipe: 'original', drop: { value: 0, low: 0, high: 0 } });
    expect(candidates.map(({ recipe }) => recipe)).toEqual([
      'float32',
      'w8a8-dynamic',
      'w7a8-dynamic',
      'w7a8-dynamic+int4-embeddings',
      'w7a8-dynamic+int4-embeddings+int4-weights',
    ]);
    const [float] = candidates;
    expect(float).toMatchObject({ meetsBudget: false, failed: [{ limit: 'downloadBytes', allowed: 2e6 }] });
    expect(float?.metric.value).toBe(baseline.metric.value);
    for (const candidate of candidates) {
      expect(candidate.drop.value).toBeCloseTo(baseline.metric.value - candidate.metric.value, 12);
      expect(candidate.drop.low).toBeLessThanOrEqual(candidate.drop.value);
      expect(candidate.drop.high).toBeGreaterThanOrEqual(candidate.drop.value);
      expect(candidate.latencyMs.p50).toBeGreaterThan(0);
      expect(candidate.latencyMs.p95).toBeGreaterThanOrEqual(candidate.latencyMs.p50);
      expect(candidate.downloadBytes.brotli).toBeLessThan(candidate.downloadBytes.raw);
      expect(candidate.peakMemoryBytes).toBeGreaterThan(1e6);
    }
    const smallest = candidates.filter((each) => each.meetsBudget).map((each) => each.downloadBytes.brotli);
    expect(candidates.find(({ recipe }) => recipe === chosen)?.downloadBytes.brotli).toBeLessThanOrEqual(
      Math.min(...smallest) * 1.01,
    );
  });

  it('puts budget and proof into the manifest', () => {
    const manifest = JSON.parse(readFileSync(join(out, 'edgewise.json'), 'utf8')) as Record<string, unknown>;
    const chosen = report().candidates.find(({ recipe }) => recipe === report().chosen);
    expect(manifest).toMatchObject({
      task: 'text-classification',
      labels: ['NEGATIVE', 'POSITIVE'],
      budget: { downloadBytes: 2e6, drop: 0.05 },
      proof: { downloadBytes: chosen?.downloadBytes.brotli, metric: chosen?.metric, drop: chosen?.drop },
      recipe: { name: chosen?.recipe },
    });
  });

  it('gives more bits to the layers that cost most, where 4 lose too much, and plots what each costs', async () => {
    const target = join(folder, 'mixed');
    const texts = join(folder, 'texts.txt');
    const lines = readFileSync(join(repoRoot, MODEL, 'calibration.txt'), 'utf8').split('\n');
    writeFileSync(texts, lines.slice(0, 24).join('\n'));
    const { code, stderr } = await runCli(
      ...optimize('--out', target, '--calibration', texts, '--max-drop', '0%'),
    );
    expect(code).toBe(0);
    const { candidates, chosen, notes, sensitivity } = report(target);
    // The words, and 26 linear layers as the recipe has them that is widened.
    const bits = Number(/int([34])-weights/.exec(chosen ?? '')?.[1]);
    expect(sensitivity?.layers.map((layer) => layer.bits)).toEqual([
      4,
      ...Array.from({ length: 26 }, () => bits),
    ]);
    for (const { signalToNoiseDb } of sensitivity?.layers ?? []) {
      expect(signalToNoiseDb).toBeGreaterThan(30);
      expect(signalToNoiseDb).toBeLessThan(110);
    }
    const base = /w7a8-(?:dynamic|static)\+int4-embeddings\+int[34]-weights/.source;
    expect(stderr).toMatch(new RegExp(`candidate 11 of 11: ${base}-mixed-1\\b`));
    expect(chosen).toMatch(new RegExp(`^${base}-mixed-\\d+$`));
    const mixed = candidates.at(-1);
    expect(mixed).toMatchObject({ recipe: chosen, meetsBudget: true });
    const sizes = candidates.filter((each) => each !== mixed && each.drop.value <= 0);
    for (const { downloadBytes } of sizes)
      expect(mixed?.downloadBytes.brotli).toBeLessThan(downloadBytes.brotli);
    const step = mixed?.steps.find(({ name }) => name === 'quantize-weights-int4');
    const widened = step && 'options' in step && 'except' in step.options ? step.options.except : [];
    expect(chosen).toMatch(new RegExp(`-mixed-${widened?.length}$`));
    expect(notes[0]).toMatch(new RegExp(`with more bits for ${widened?.length} layers? \\(of 27, tried: 1`));
    expect(notes[0]).toContain(widened?.join(', '));
    expect(readFileSync(join(target, 'report.html'), 'utf8')).toContain('Sensitivity by layer');
    rmSync(target, { recursive: true });
    rmSync(texts);
  }, 180_000);

  it('takes answers from the cache but measures times, --json alone on stdout, exit code 1 when none fits', async () => {
    const missed = join(folder, 'missed');
    const { code, stdout, stderr } = await runCli(
      ...optimize('--out', missed, '--max-size', '900kB', '--json', '--sensitivity'),
    );
    expect(code).toBe(1);
    expect(stderr.match(/% as before/g)).toHaveLength(6);
    expect(stderr).toContain('Sensitivity was not measured: it needs --calibration');
    const printed = JSON.parse(stdout) as OptimizeReport;
    const before = report();
    const rows = [printed.baseline, ...printed.candidates];
    for (const [i, earlier] of [before.baseline, ...before.candidates].entries()) {
      const { metric, drop, downloadBytes } = earlier;
      expect(earlier.metricReused).toBe(false);
      expect(rows[i]).toMatchObject({ metricReused: true, metric, drop, downloadBytes });
      // Wall-clock times of another process: equal only if they were copied.
      expect(rows[i]?.coldStartMs).not.toBe(earlier.coldStartMs);
    }
    expect(printed).toMatchObject({ chosen: null, relax: [{ limit: 'downloadBytes', allowed: 900_000 }] });
    expect(printed).toEqual(report(missed));
    expect(readdirSync(missed).sort()).toEqual(['report.html', 'report.json']);
  });

  it('goes on without a cache that it cannot write to, and says so once', async () => {
    const { code, stderr } = await runCli(
      ...optimize('--out', join(folder, 'uncached'), '--cache', data, '--max-size', '2MB'),
    );
    expect(code).toBe(0);
    expect(stderr.match(/! Answers are not kept for another run: .*some\.tsv/g)).toHaveLength(1);
  });

  it('says which limit to relax', async () => {
    const { code, stdout } = await runCli(
      ...optimize('--out', join(folder, 'missed'), '--max-memory', '1kB'),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /No candidate meets the budget\. Nearest: .*; it would do with --max-memory to .* MB\./,
    );
    expect(stdout).toMatch(/memory .* MB > 1\.00 kB/);
    expect(stdout).toContain('accuracy of every row is known from an earlier run of the same files');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s in the middle: exit code 130, nothing half-written',
    async (signal) => {
      const target = join(folder, `interrupted-${signal}`);
      const before = readdirSync(folder).sort();
      const temporary = mkdtempSync(join(tmpdir(), 'edgewise-temporary-'));
      const { child, result } = startCli(optimize('--out', target, '--fresh'), { TMPDIR: temporary });
      child.stderr.on('data', (text: string) => {
        if (text.includes('candidate 0 of 5')) child.kill(signal);
      });
      const { code, stdout } = await result;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(existsSync(target)).toBe(false);
      expect(readdirSync(folder).sort()).toEqual(before);
      expect(readdirSync(temporary)).toEqual([]);
      rmSync(temporary, { recursive: true });
    },
  );
});

describe('the length of inputs', () => {
  const curveOf = (path?: string): readonly LatencyPoint[] => report(path).length?.curve ?? [];

  it("is the model's own limit by default, with the time of an answer by number of tokens", () => {
    expect(report().length).toMatchObject({
      maxTokens: 128,
      modelTokens: 128,
      texts: EXAMPLES,
      truncated: 0,
    });
    expect(curveOf().map(({ tokens }) => tokens)).toEqual([8, 16, 24, 40, 56, 88, 128]);
    for (const { ms } of curveOf()) expect(ms).toBeGreaterThan(0);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('Length of texts');
  });

  it('auto: covers the texts and keeps the latency limit, and the original stays uncut', async () => {
    const target = join(folder, 'auto');
    const [least, , , most] = curveOf();
    const allowed = Math.sqrt((least?.ms ?? NaN) * (most?.ms ?? NaN));
    const { stdout } = await runCli(
      ...optimize('--out', target, '--max-tokens', 'auto', '--max-latency-p95', `${allowed}ms`),
      '--max-drop',
      '60%',
    );
    const { length, baseline } = report(target);
    const { maxTokens = NaN, truncated, truncation = [], reasons = [] } = length ?? {};
    const shareAt = (tokens: number): number => truncation.find((each) => each.tokens === tokens)?.share ?? 0;
    const covering = truncation.find(({ share }) => share <= 0.001)?.tokens ?? NaN;
    expect(maxTokens % 8).toBe(0);
    expect(maxTokens).toBeLessThanOrEqual(covering);
    expect(truncated).toBe(shareAt(maxTokens));
    // Times are measured anew: whether texts are cut for the limit follows from this run's curve.
    const curve = curveOf(target);
    expect(curve.map(({ tokens }) => tokens)).toEqual([8, 16, 24, 40, 56, 88, 128]);
    const keeps = (tokens: number): boolean => timeAt(curve, tokens) <= allowed;
    // The text that 95 % are no longer than has more than `shorter` tokens and at most `longer`.
    const longer = truncation.find(({ share }) => share <= 0.05)?.tokens ?? NaN;
    const shorter = longer - 8;
    const fast = truncation.findLast(({ tokens }) => tokens <= shorter && keeps(tokens))?.tokens ?? covering;
    const possible = [
      ...(keeps(shorter) || keeps(longer) ? [covering] : []),
      ...(keeps(shorter) && keeps(longer) ? [] : [fast]),
    ];
    expect(possible).toContain(maxTokens);
    expect(stdout.includes(reasons.join(' '))).toBe(reasons.length > 1);
    expect(baseline.metric).toEqual(report().baseline.metric);
  });
});

describe('edgewise optimize --prune', () => {
  it('tries candidates without parts, says what went, and packages one that runs', async () => {
    const target = join(folder, 'pruned');
    const calibration = join(folder, 'few.txt');
    const texts = readFileSync(join(repoRoot, MODEL, 'calibration.txt'), 'utf8').split('\n');
    writeFileSync(calibration, texts.slice(0, 80).join('\n'));
    const limits = ['--max-size', '900kB', '--max-drop', '20%'];
    const more = ['--calibration', calibration, '--prune', 'vocabulary,neurons', '--max-tokens', 'auto'];
    const { code, stderr } = await runCli(...optimize('--out', target, ...limits, ...more));
    expect(stderr).toContain('candidate 14 of 14: vocabulary-99.9+neurons-70+w7a8-static');
    expect(code).toBe(0);
    const { candidates, chosen, notes, length } = report(target);
    const sizeOf = (name: string): number =>
      candidates.find(({ recipe }) => recipe === name)?.downloadBytes.brotli ?? NaN;
    const unpruned = sizeOf('w7a8-static');
    expect(sizeOf('vocabulary-99.9+w7a8-static')).toBeLessThan(0.7 * unpruned);
    expect(sizeOf('neurons-70+w7a8-static')).toBeLessThan(0.95 * unpruned);
    expect(sizeOf('vocabulary-99.9+neurons-70+w7a8-static')).toBeLessThan(
      sizeOf('vocabulary-99.9+w7a8-static'),
    );
    expect(chosen).toContain('vocabulary-99.9');
    expect(length?.reasons).toEqual([
      expect.stringMatching(
        /^Inputs have at most (32|40|48|56|64) of the model's 128 tokens: 0\.\d\d % of the \d+ texts are cut\.$/,
      ),
    ]);
    const manifest = JSON.parse(readFileSync(join(target, 'edgewise.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ tokenizer: { maxLength: length?.maxTokens } });
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^Vocabulary: \d+ of 8192 tokens stay, 99\.9\d % of those in the calibration texts/,
      ),
    );
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^Removed: 608 neurons of the feed-forward layers\. What is left was fitted on 80 calibration texts\.$/,
      ),
    );
    const tokenizer = JSON.parse(readFileSync(join(target, 'tokenizer.json'), 'utf8')) as {
      model: { vocab: object };
    };
    expect(Object.keys(tokenizer.model.vocab).length).toBeLessThan(4000);
    const ran = await runCli('run', target, 'A funny, moving and beautifully played film.', '--json');
    const { scores } = JSON.parse(ran.stdout) as { scores: { label: string }[] };
    expect(scores[0]?.label).toBe('POSITIVE');
  }, 180_000);
});

describe('what is done with a package', () => {
  it('run prints labels by score; --json and standard input', async () => {
    const plain = await runCli('run', out, 'A funny, moving and beautifully played film.');
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(/^label +score\nPOSITIVE +9\d\.\d\d %\nNEGATIVE +\d\.\d\d %\n$/);
    const { child, result } = startCli(['run', out, '-', '--json']);
    child.stdin.end('A dull mess.');
    const { scores } = JSON.parse((await result).stdout) as { scores: { label: string; score: number }[] };
    expect(scores[0]?.label).toBe('NEGATIVE');
    expect(scores.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
  });

  it('bench --json', async () => {
    const { code, stdout } = await runCli('bench', out, '--runs', '20', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ runner: `Node ${process.versions.node}`, runs: 20 }]);
  });

  it('compare --json: a package does not differ from itself', async () => {
    const { code, stdout } = await runCli('compare', out, out, '--data', data, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ examples: EXAMPLES, agreement: 1, drop: { value: 0 } });
  });

  it('inspect --json, of a package and of a model', async () => {
    const ofPackage = await runCli('inspect', out, '--json');
    expect(JSON.parse(ofPackage.stdout)).toMatchObject({ format: 'edgewise', task: 'text-classification' });
    const ofModel = await runCli('inspect', MODEL, '--json');
    expect(JSON.parse(ofModel.stdout)).toMatchObject({
      parameters: 1_875_321,
      bindings: { batch: 1, sequence: 32 },
    });
    const plain = await runCli('inspect', MODEL);
    expect(plain.stdout).toContain('Next: edgewise optimize models/sentiment');
  });

  it('serve: isolated, compressed, only inside the folder, ends well on Ctrl+C', async () => {
    const { child, result } = startCli(['serve', out, '--port', '0', '--json']);
    const { url } = await new Promise<{ url: string }>((resolve) => {
      child.stdout.once('data', (text: string) => resolve(JSON.parse(text) as { url: string }));
    });
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const response = await fetch(`${url}model.relaxed.wasm`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/wasm',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    for (const path of ['nothing', '%2e%2e/some.tsv', '..%2fsome.tsv'])
      expect((await fetch(url + path)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    child.kill('SIGINT');
    expect((await result).code).toBe(0);
  });
});
