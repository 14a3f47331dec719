/**
 * The encoder shapes that latency is measured on. Speed does not depend on the weights' values, so they are random.
 * @typedef {object} Shape
 * @property {string} name
 * @property {number} hidden
 * @property {number} layers
 * @property {number} heads
 * @property {number} feedForward
 * @property {readonly string[]} inputs
 * @property {string} output
 * @property {'feature-extraction' | 'text-classification'} task
 */

export const VOCABULARY = 30_522;

/** Tokens of the sentence that native onnxruntime is compared on. */
export const NATIVE_TOKENS = 128;

/** @type {readonly Shape[]} */
export const SHAPES = [
  {
    name: 'minilm',
    hidden: 384,
    layers: 6,
    heads: 12,
    feedForward: 1536,
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'],
    output: 'last_hidden_state',
    task: 'feature-extraction',
  },
  {
    name: 'distilbert',
    hidden: 768,
    layers: 6,
    heads: 12,
    feedForward: 3072,
    inputs: ['input_ids', 'attention_mask'],
    output: 'logits',
    task: 'text-classification',
  },
];

/**
 * Operations of the encoder layers, two per multiply-accumulate: the projections, both feed-forward products and
 * attention's two products. Embeddings, norms, softmax and heads are left out.
 * @param {Shape} shape @param {number} tokens
 */
export function operations({ hidden, layers, feedForward }, tokens) {
  const perToken = 4 * hidden * hidden + 2 * hidden * feedForward + 2 * tokens * hidden;
  return 2 * layers * perToken * tokens;
}
