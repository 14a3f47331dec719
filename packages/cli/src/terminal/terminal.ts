import { createColors } from 'picocolors';

type Colors = ReturnType<typeof createColors>;

/** Where a command writes: data to stdout, everything else to stderr. */
export interface Terminal {
  readonly data: (text: string) => void;
  readonly message: (text: string) => void;
  /** Whether stderr is a terminal that can redraw a line. */
  readonly live: boolean;
  readonly columns: number;
  /** For stdout and for stderr: no-ops where the stream is not a terminal or NO_COLOR is set. */
  readonly dataColors: Colors;
  readonly messageColors: Colors;
  /** Milliseconds from any start. */
  readonly now: () => number;
}

export interface TerminalStreams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_COLUMNS = 80;

/** NO_COLOR (https://no-color.org) and TERM=dumb turn colours off, FORCE_COLOR on. */
export function createTerminal({ stdout, stderr, env }: TerminalStreams): Terminal {
  const colorful = (tty: boolean | undefined): boolean =>
    !env['NO_COLOR'] && (Boolean(env['FORCE_COLOR']) || (tty === true && env['TERM'] !== 'dumb'));
  return {
    data: (text) => void stdout.write(text),
    message: (text) => void stderr.write(text),
    live: stderr.isTTY === true && env['TERM'] !== 'dumb' && !env['CI'],
    // Some terminals say 0.
    columns: stderr.columns || DEFAULT_COLUMNS,
    dataColors: createColors(colorful(stdout.isTTY)),
    messageColors: createColors(colorful(stderr.isTTY)),
    now: () => performance.now(),
  };
}
