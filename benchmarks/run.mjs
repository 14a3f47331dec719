// Runs a benchmark and keeps its result: node benchmarks/run.mjs NAME [options]. README.md lists them.
import process from 'node:process';
import { parseArgs } from 'node:util';

/**
 * What every benchmark is given.
 * @typedef {object} Options
 * @property {string} models folder of the models that are measured: minilm/, distilbert/, sst2-tiny/ …
 * @property {string | undefined} only substring of the cases' names
 * @property {number} scale factor on the numbers of rounds
 * @property {string} python interpreter that has onnxruntime, for `quantize`
 * @property {boolean} oracle whether onnxruntime's quantizer is measured again
 * @property {boolean} parts whether `quantization` measures recipes without each of their parts too
 * @property {boolean} keep whether to write results/NAME.json
 */

const BENCHMARKS = [
  'browser-latency',
  'threads',
  'vision-threads',
  'native',
  'native-vision',
  'cold-start',
  'memory',
  'quantize',
  'quantization',
  'activation-ranges',
  'calibration',
  'pruning',
  'channels',
  'vision-latency',
  'litert',
  'audio-accuracy',
  'audio-latency',
  'embeddings',
  'browsers',
  'sizes',
];

const USAGE = `usage: node benchmarks/run.mjs NAME [options]

  NAME             ${BENCHMARKS.join(', ')}
  --models FOLDER  the models that are measured; default .cache/benchmarks/models
  --only TEXT      only cases whose name contains it
  --scale NUMBER   factor on the numbers of rounds; default 1
  --python FILE    Python that has onnxruntime, for quantize and --oracle; default python3
  --oracle         quantization, calibration: measure onnxruntime's quantizer again (needs --python), not its kept results
  --parts          quantization: also recipes without each of their parts
  --dry            print, do not write results/NAME.json
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: 'string', default: '.cache/benchmarks/models' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    python: { type: 'string', default: 'python3' },
    oracle: { type: 'boolean', default: false },
    parts: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
});
const [name = ''] = positionals;
const scale = Number(values.scale);
if (!BENCHMARKS.includes(name) || positionals.length !== 1 || !(scale > 0)) {
  process.stderr.write(USAGE);
  process.exit(2);
}
/** @type {Options} */
const options = {
  models: values.models,
  only: values.only,
  scale,
  python: values.python,
  oracle: values.oracle,
  parts: values.parts,
  keep: !values.dry,
};
/** @type {{ run: (options: Options) => Promise<void> }} */
const benchmark = await import(`./${name}.mjs`);
await benchmark.run(options);
