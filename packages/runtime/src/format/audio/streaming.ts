/** How a model with a memory is run over a stream, chunk after chunk. */
export interface Streaming {
  /** Samples of the chunk before that come in front of every chunk; zeros at the start. Default 0. */
  readonly context?: number;
  /** Tensors that one run hands to the next; zeros at the start. */
  readonly states: readonly StreamState[];
}

export interface StreamState {
  /** Name of the input. */
  readonly input: string;
  /** Name of the output that becomes the input of the next run. */
  readonly output: string;
}
