import { formatMs } from './format.ts';
import type { Terminal } from './terminal.ts';

/** Shows what is going on: one line redrawn on a terminal, one line per finished stage elsewhere. */
export interface Progress {
  /** Begins a stage and ends the one before. */
  readonly stage: (name: string) => void;
  /** How far the stage is, e.g. `320 of 640 sentences`. Only shown on a terminal. */
  readonly update: (detail: string) => void;
  /** Ends the stage with a word about its result. */
  readonly done: (result?: string) => void;
  /** A line that stays: something the user should know, which does not stop the work. */
  readonly warn: (message: string) => void;
}

/** Redrawing more often than the eye follows costs time in slow terminals. */
const REDRAW_INTERVAL_MS = 80;

const CLEAR_LINE = '\r\u001b[2K';

/** Removes a line that is being redrawn, before something else is printed. */
export function clearLine(terminal: Terminal): void {
  if (terminal.live) terminal.message(CLEAR_LINE);
}

export function createProgress(terminal: Terminal): Progress {
  const { live, messageColors: colors } = terminal;
  let current: { name: string; started: number } | undefined;
  let drawn = 0;

  const draw = (text: string): void => {
    if (!live) return;
    const room = terminal.columns - 1;
    terminal.message(CLEAR_LINE + colors.dim(text.length > room ? `${text.slice(0, room - 1)}…` : text));
    drawn = terminal.now();
  };
  const done = (result?: string): void => {
    if (!current) return;
    clearLine(terminal);
    const time = formatMs(terminal.now() - current.started);
    const suffix = result === undefined ? '' : `  ${result}`;
    terminal.message(`${colors.green('✓')} ${current.name}${suffix}  ${colors.dim(time)}\n`);
    current = undefined;
  };
  return {
    stage: (name) => {
      done();
      current = { name, started: terminal.now() };
      draw(`… ${name}`);
    },
    update: (detail) => {
      if (!current || terminal.now() - drawn < REDRAW_INTERVAL_MS) return;
      draw(`… ${current.name}  ${detail}  ${formatMs(terminal.now() - current.started)}`);
    },
    done,
    warn: (message) => {
      clearLine(terminal);
      terminal.message(`${colors.yellow('!')} ${message}\n`);
    },
  };
}
