export const POINT_RADIUS = 9;

/** Between the middles of neighbouring points, in pixels. */
const POINT_DISTANCE = 18;

/**
 * Pixels to move points sideways so that they do not cover each other: neighbours stand in rows around their middle, all
 * between 0 and `room`.
 */
export function spread(positions: readonly number[], room: number): readonly number[] {
  const order = positions
    .map((position, index) => ({ position, index }))
    .sort((a, b) => a.position - b.position);
  let rows: (typeof order)[] = [];
  for (const point of order) {
    let row = [point];
    while (rows.length > 0 && leftEnd(row, room) - rightEnd(rows.at(-1) ?? [], room) < POINT_DISTANCE) {
      row = [...(rows.at(-1) ?? []), ...row];
      rows = rows.slice(0, -1);
    }
    rows.push(row);
  }
  const shifts = positions.map(() => 0);
  for (const row of rows)
    row.forEach(({ position, index }, place) => {
      shifts[index] = leftEnd(row, room) + place * POINT_DISTANCE - position;
    });
  return shifts;
}

type Row = readonly { readonly position: number }[];

function leftEnd(row: Row, room: number): number {
  const middle = row.reduce((sum, { position }) => sum + position, 0) / row.length;
  const length = (row.length - 1) * POINT_DISTANCE;
  return Math.max(POINT_RADIUS, Math.min(middle - length / 2, room - POINT_RADIUS - length));
}

function rightEnd(row: Row, room: number): number {
  return leftEnd(row, room) + (row.length - 1) * POINT_DISTANCE;
}
