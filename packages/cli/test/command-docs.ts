import { DATASET_COLUMNS } from '@edgewise/compiler';
import { commandOptions, type AnyCommand } from '../src/command/build-program.ts';
import { flagText, type AnyOption } from '../src/command/option.ts';

/** docs/cli.md: the same tables that the parser and the help come from. */
export function commandDocs(commands: readonly AnyCommand[]): string {
  return `# The command line

Generated from the option tables in packages/cli/src/commands; \`npx vitest run command-docs --update\` writes it anew.

Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 could not or the budget is missed, 2 bad usage, 130 interrupted.
Colours only on a terminal and without \`NO_COLOR\`. \`EDGEWISE_CHROMIUM\` names the browser that measures, when it is not in a usual place.
Sizes: \`3MB\` (decimal), \`64MiB\` (binary), \`500\` (bytes). Times: \`20ms\`, \`1.5s\`. Drops: \`0.5%\` is half a point.

${commands.map(commandSection).join('\n')}
${dataFiles()}
${imageModels()}`;
}

function commandSection(command: AnyCommand): string {
  const usage = command.arguments
    .map(({ name, optional }) => (optional ? `[${name}]` : `<${name}>`))
    .join(' ');
  const rows = [
    ...command.arguments.map(({ name, description }) => [`\`<${name}>\``, description, '']),
    ...commandOptions(command).map(([name, option]) => [
      `\`${flagText(name, option)}\``,
      option.description,
      defaultText(name, option),
    ]),
  ];
  return `## edgewise ${command.name}

${command.summary} ${command.details}

\`\`\`sh
edgewise ${command.name} ${usage} [options]
edgewise ${command.example}
\`\`\`

${markdownTable(['option', 'meaning', 'default'], rows)}
`;
}

function dataFiles(): string {
  const columns = markdownTable(
    ['column', 'names'],
    [
      ['text', names('text')],
      ['second text, for pairs', names('textPair')],
      [
        'file, for images and sounds',
        `${names('file')}; a path relative to the table, or to \`images/\`, \`sounds/\`, \`wav/\` beside it`,
      ],
      ['second file, for image-feature-extraction', names('filePair')],
      [
        'label, for classification',
        `${names('label')}; beside a file the only other column, whatever its name`,
      ],
      ['score, for both kinds of feature-extraction', `${names('score')}; any scale, higher is more alike`],
    ],
  );
  return `## Data files

The ending tells the format, always in UTF-8, with any line ends. \`.tsv\` and \`.csv\` (commas or semicolons, quotes as in RFC 4180) begin with a line of column names;
a file of two columns without names is text and label. \`.jsonl\` has an object a line with the same names. \`.txt\` has a text a line and no labels: enough for
\`--calibration\` and \`bench\`.

${columns}

A label is one of the names in the model's \`id2label\`, or its number. Where a model gives each label by itself (\`"problem_type": "multi_label_classification"\` in its
config.json) an example has any number of them: in one cell separated by commas, semicolons or bars (\`joy|fear\`, \`0,2\`, nothing for none; in CSV commas need quotes
around the cell), in JSONL a list (\`"labels": ["joy", "fear"]\`, \`[0, 2]\`, \`[]\`). A label then holds where its probability is above 50 %, and quality is F1 over all these decisions
(\`f1-micro\`), unless \`--metric\` says \`f1-macro\` or \`exact-match\` (all labels of an example right and no other).
`;
}

function imageModels(): string {
  return `## Image models

The folder of an image model has \`model.onnx\` and, as Hugging Face writes them, \`config.json\` with \`id2label\` and \`preprocessor_config.json\` with what makes an image the
model's input: \`size\` (\`{ "height": 96, "width": 96 }\` stretches; \`{ "shortest_edge": 256 }\` with \`"do_center_crop": true\` and \`crop_size\` cuts the middle out), \`resample\`
(Pillow's number: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box; default 2), \`rescale_factor\` (default 1/255; \`"do_rescale": false\` for none), \`image_mean\` and
\`image_std\` (unless \`"do_normalize": false\`), \`do_flip_channel_order\` (BGR). What it has no name for goes under \`edgewise\` in \`config.json\`, with the names of a package's
manifest (docs/package-format.md): \`preprocessing\` as a whole, and what a detector's outputs mean:

\`\`\`json
{ "id2label": { "0": "face" }, "edgewise": { "detection": { "kind": "yolov8", "iouThreshold": 0.5 } } }
\`\`\`

image-feature-extraction needs no \`id2label\`; \`pooling\` and \`normalize\` under \`edgewise\` say what becomes of its output. Its data are a table of pairs with their score.

Labelled images are a folder with a folder for each class, named as the class is, or a table as above. Boxes are COCO's JSON, a folder with it
(\`annotations.json\`), or a folder of YOLO's (\`images/\`, \`labels/\`). \`--calibration\` takes a folder or a list of files; the first 100 images are used. JPEG, PNG, WebP, GIF,
AVIF and TIFF of up to 134 million pixels are read, turned upright by their EXIF orientation, of animations the first picture. Quality is \`top-1\` or \`map\` (mean average precision at overlaps from 0.5 to 0.95), unless \`--metric\` says \`top-5\`
or \`map50\`.

## Sound models

The folder of a sound model has \`model.onnx\`, \`config.json\` with \`id2label\` and, as Hugging Face writes it, \`preprocessor_config.json\` with what makes a sound the model's
input: \`feature_extractor_type\` Wav2Vec2FeatureExtractor (raw samples: wav2vec 2.0, HuBERT, WavLM; \`sampling_rate\`, \`do_normalize\`; where the model takes clips of any length,
\`"edgewise": { "audio": { "samples": 16000 } }\` in \`config.json\` says how long they are) or WhisperFeatureExtractor (\`feature_size\`, \`hop_length\`, \`n_fft\`, \`chunk_length\`). Other
front ends are \`audio\` under \`edgewise\` as a whole, with the fields of docs/package-format.md (raw samples, mel spectrograms, cepstral coefficients). Labelled sounds are WAV files (integers of 8 to 32 bits, floats, any
number of channels, which are averaged) in a folder for each class, or a table.
For voice-activity-detection \`streaming\` says how chunks follow one another, and \`settings\` what inputs like a sample rate are (\`{ "sr": 16000 }\`); \`--data\` is a table of
clips with a \`score\` of 1 where there is speech and 0 elsewhere, and quality is the area under the ROC curve of each clip's largest probability.
`;
}

function names(column: keyof typeof DATASET_COLUMNS): string {
  return DATASET_COLUMNS[column].map((name) => `\`${name}\``).join(', ');
}

/** Padded, as the formatter would write it. */
function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...rows.map((cells) => cells[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function defaultText(name: string, option: AnyOption): string {
  if ('required' in option) return 'required';
  if (!('default' in option)) return '';
  return name === 'cache' ? "the user's cache folder" : `\`${String(option.default)}\``;
}
