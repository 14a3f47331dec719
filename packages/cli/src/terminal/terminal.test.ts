import { describe, expect, it } from 'vitest';
import { formatBytes, formatInterval, formatMs, formatPercent, formatPoints } from './format.ts';
import { createProgress } from './progress.ts';
import { renderTable } from './table.ts';
import { createTerminal, type Terminal } from './terminal.ts';

function terminal(tty: boolean, env: Record<string, string> = {}): { terminal: Terminal; written: string[] } {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text), isTTY: tty, columns: 40 };
  return { terminal: createTerminal({ stdout: stream, stderr: stream, env }), written };
}

describe('format', () => {
  it('bytes, times and shares, with three digits that count', () => {
    expect([0, 999, 1000, 1_859_000, 999_499, 999_500, 67_108_864, 2e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.86 MB',
      '999 kB',
      '1.00 MB',
      '67.1 MB',
      '2.00 GB',
    ]);
    expect([0.123, 9.99, 9.996, 25.34, 99.96, 999, 1000, 61_500].map(formatMs)).toEqual([
      '0.12 ms',
      '9.99 ms',
      '10.0 ms',
      '25.3 ms',
      '100 ms',
      '999 ms',
      '1.00 s',
      '61.5 s',
    ]);
    expect([0.74375, -0.04].map(formatPercent)).toEqual(['74.38 %', '−4.00 %']);
    expect(formatInterval({ low: -0.0396, high: 0.245 })).toBe('[−4.0, 24.5]');
    expect([0.0016, -0.0031, 0, -0.00001].map(formatPoints)).toEqual(['+0.16', '−0.31', '0.00', '0.00']);
  });
});

describe('renderTable', () => {
  it('aligns, and does not count colours', () => {
    const text = renderTable(
      [{ title: 'a' }, { title: 'number', align: 'right' }],
      [
        ['long name', '1'],
        ['\u001b[31mx\u001b[39m', '12345678'],
      ],
    );
    expect(text).toBe('a            number\nlong name         1\n\u001b[31mx\u001b[39m          12345678\n');
  });
});

describe('createProgress', () => {
  it('keeps a warning inside a stage on a line of its own', () => {
    const { terminal: plain, written } = terminal(false);
    const progress = createProgress(plain);
    progress.stage('first');
    progress.warn('a pass was rolled back');
    progress.done();
    expect(written.join('')).toMatch(/^! a pass was rolled back\n✓ first/);
  });

  it('prints one plain line per stage where nothing can be redrawn', () => {
    const { terminal: plain, written } = terminal(false);
    const progress = createProgress(plain);
    progress.stage('first');
    progress.update('1 of 2');
    progress.stage('second');
    progress.done('fine');
    progress.done();
    expect(written.join('')).toMatch(/^✓ first {2}\d.* ms\n✓ second {2}fine {2}\d.* ms\n$/);
  });

  it('redraws one line on a terminal and never wraps it', () => {
    const { terminal: live, written } = terminal(true, { NO_COLOR: '1' });
    createProgress(live).stage('a name that is longer than forty columns of a terminal');
    expect(written.join('')).toBe('\r\u001b[2K… a name that is longer than forty col…');
  });
});

describe('createTerminal', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
  ])('terminal %s, %j: colours %s', (tty, env, colors) => {
    expect(terminal(tty, env).terminal.dataColors.isColorSupported).toBe(colors);
  });
});
