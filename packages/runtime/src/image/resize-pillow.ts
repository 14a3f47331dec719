import { coefficientsOf } from './coefficients.ts';
import type { FilterName } from './filters.ts';
import type { Pixels } from './pixels.ts';
import { RESAMPLE_PROGRAM } from './resample-program.ts';

const PAGE_BYTES = 2 ** 16;
const MAX_PAGES = 2 ** 16;
/** Of the last pixel three bytes count and four are written. */
const SPILL = 1;

/** The WebAssembly program that sums weighted bytes, and its memory, which grows to what the largest image needs. */
interface Program {
  readonly memory: WebAssembly.Memory;
  /**
   * Writes four bytes for each row of a table of `Coefficients`: the sums of `taps` quadruples, `step` bytes apart, with its
   * weights.
   * @param from address of pixel 0 @param to of the first result; the next is `toStep` behind it
   * @param table address of the table @param end behind it
   */
  readonly weigh: (
    from: number,
    to: number,
    table: number,
    end: number,
    taps: number,
    step: number,
    toStep: number,
  ) => void;
}

let program: Program | undefined;

/** A part of the resized image, in its pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A part of the image resized to `width` × `height`, bit for bit what `Image.resize` and `crop` of Pillow up to 12 give for RGB
 * (src/libImaging/Resample.c): integers only after the weights, first across, then down, 8 bits in between. Pillow 13
 * goes down first for some sizes, which changes a value by at most 1.
 */
export function resizePillow(
  image: Pixels,
  width: number,
  height: number,
  filter: FilterName,
  window: Window,
): Pixels {
  const across = coefficientsOf(filter, image.width, width, window.left, window.width);
  const down = coefficientsOf(filter, image.height, height, window.top, window.height);
  const { memory, weigh } = loadProgram();
  const inRow = image.width * image.step;
  const outRow = window.width * 3;
  const outSize = window.height * outRow;

  // What is read behind the end of a part weighs nothing, but has to be there.
  const tableAcross = 0;
  const tableDown = tableAcross + across.table.byteLength;
  const source = tableDown + down.table.byteLength;
  const squeezed = source + inRow + across.taps * image.step;
  const target = squeezed + (down.end - down.first + down.taps) * outRow;
  reserve(memory, target + outSize + SPILL);

  const bytes = new Uint8Array(memory.buffer);
  new Int32Array(memory.buffer).set(across.table, tableAcross / 4);
  new Int32Array(memory.buffer).set(down.table, tableDown / 4);
  for (let row = down.first; row < down.end; row++) {
    bytes.set(image.data.subarray(row * inRow, (row + 1) * inRow), source);
    weigh(source, squeezed + (row - down.first) * outRow, tableAcross, tableDown, across.taps, image.step, 3);
  }
  const rowZero = squeezed - down.first * outRow;
  for (let next = 0; next < outRow; next += 4) {
    // Four bytes are written at a time, and must not reach into the next row.
    const byte = Math.max(0, Math.min(next, outRow - 4));
    weigh(rowZero + byte, target + byte, tableDown, source, down.taps, outRow, outRow);
  }
  return { width: window.width, height: window.height, step: 3, data: bytes.slice(target, target + outSize) };
}

function loadProgram(): Program {
  if (program) return program;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  const code = Uint8Array.from(atob(RESAMPLE_PROGRAM), (letter) => letter.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  program = { memory, weigh: exports['weigh'] as Program['weigh'] };
  return program;
}

function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
}
