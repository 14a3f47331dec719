import { RuntimeError } from '../runtime-error.ts';
import { at, fail, finite, flag, int, list, oneOf, optional, text, type Field } from './check.ts';
import { checkEdgeModel } from './check-edge-model.ts';
import { FORMAT, FORMAT_VERSION, MANIFEST_FILE, type Manifest } from './manifest.ts';

/** Plain names only: a package is one flat folder, and a manifest cannot point out of it. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;
/** Model files of 2 GiB and more do not fit into WebAssembly's 4 GiB together with what they need to run. */
const MAX_FILE_BYTES = 2 ** 32 - 1;
const MAX_LABELS = 100_000;
const MAX_TOKENS = 1 << 20;

/**
 * Reads the text of an `edgewise.json`. Throws `RuntimeError` (`bad-package`) naming the first field that is wrong;
 * what it returns needs no further checks of ranges, offsets, counts or file names.
 */
export function readManifest(json: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new RuntimeError('bad-package', `${MANIFEST_FILE} is not JSON: ${(cause as Error).message}`, {
      file: MANIFEST_FILE,
      cause,
    });
  }
  return validateManifest(value);
}

/** The same for a manifest that is already parsed; returns its argument. */
export function validateManifest(value: unknown): Manifest {
  const root: Field = { value, path: '' };
  oneOf(at(root, 'format'), [FORMAT]);
  oneOf(at(root, 'formatVersion'), [FORMAT_VERSION]);
  text(at(root, 'name'));
  const task = text(at(root, 'task'));
  const files = checkFiles(at(root, 'files'));

  const model = at(root, 'model');
  const kind = oneOf(at(model, 'kind'), ['edge', 'onnx']);
  if (kind === 'onnx') fileName(at(model, 'file'), files);
  else checkEdgeModel(model, (field) => fileName(field, files));

  optional(at(root, 'tokenizer'), (tokenizer) => {
    fileName(at(tokenizer, 'file'), files);
    optional(at(tokenizer, 'configFile'), (field) => fileName(field, files));
    const longest = kind === 'edge' ? at(at(at(model, 'dims'), 'sequence'), 'max').value : MAX_TOKENS;
    int(at(tokenizer, 'maxLength'), 1, longest as number);
  });
  checkTask(root, task);
  optional(at(root, 'budget'), checkNumbers);
  optional(at(root, 'proof'), checkNumbers);
  return value as Manifest;
}

function checkTask(root: Field, task: string): void {
  const labels = at(root, 'labels');
  const checkLabels = (field: Field): void => list(field, 1, MAX_LABELS).forEach((label) => text(label));
  if (task === 'text-classification') checkLabels(labels);
  else optional(labels, checkLabels);
  optional(at(root, 'multiLabel'), flag);
  optional(at(root, 'pooling'), (field) => oneOf(field, ['mean', 'cls']));
  optional(at(root, 'normalize'), flag);
}

function checkFiles(files: Field): ReadonlyMap<string, number> {
  if (typeof files.value !== 'object' || files.value === null || Array.isArray(files.value)) {
    fail(files, 'an object');
  }
  return new Map(
    Object.keys(files.value).map((name) => {
      if (!FILE_NAME.test(name) || name === MANIFEST_FILE) {
        fail(
          { value: name, path: 'each name in files' },
          'a plain file name (letters, digits, ".", "_", "-")',
        );
      }
      const entry = at(files, name);
      const hash = at(entry, 'sha256');
      if (!/^[0-9a-f]{64}$/.test(text(hash))) fail(hash, '64 lower-case hexadecimal digits');
      return [name, int(at(entry, 'bytes'), 0, MAX_FILE_BYTES)];
    }),
  );
}

/** Checks that the field names a file of the package; returns the file's size. */
function fileName(field: Field, files: ReadonlyMap<string, number>): number {
  return files.get(text(field)) ?? fail(field, 'the name of a file listed in files');
}

/** Budget and proof: every number in them is finite; the runtime reads nothing else there. */
function checkNumbers(field: Field): void {
  const { value, path } = field;
  if (typeof value !== 'object' || value === null) fail(field, 'an object');
  for (const [key, inner] of Object.entries(value)) {
    const child = { value: inner as unknown, path: `${path}.${key}` };
    if (typeof inner === 'string') continue;
    if (typeof inner === 'object' && inner !== null) checkNumbers(child);
    else finite(child);
  }
}
