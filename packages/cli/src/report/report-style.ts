/** Style of report.html; plain CSS, light and dark, from 360 pixels up. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1a1d21; --muted: #68707a; --line: #e3e6ea; --soft: #f5f7f9;
  --accent: #2257d6; --good: #1d8553; --bad: #b3372b; --budget: #2257d61a; --limit: #b3372b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --ink: #e6e9ed; --muted: #7d858f; --line: #2b3037; --soft: #1c2026;
    --accent: #7aa2ff; --good: #5cc795; --bad: #ff8d7f; --budget: #7aa2ff22; --limit: #ff8d7f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0.2rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 0.75rem; }
code { font: 0.92em ui-monospace, monospace; overflow-wrap: anywhere; }
.kind, .caption, .muted { color: var(--muted); }
.kind { margin: 0; font-size: 0.9rem; }
.caption { font-size: 0.88rem; margin: 0.5rem 0 0; max-width: 46rem; }
.verdict { margin: 0; padding: 0.8rem 1rem; border-radius: 8px; background: var(--soft); border-left: 4px solid var(--good); }
.verdict.missed { border-color: var(--bad); }
.good { color: var(--good); } .bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 0.75rem; margin: 1.25rem 0 0; }
.tiles div { border: 1px solid var(--line); border-radius: 8px; padding: 0.75rem 0.9rem; }
.tiles dt { font-size: 0.85rem; color: var(--muted); }
.tiles dd { margin: 0; font-size: 1.45rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles small { display: block; font-size: 0.8rem; font-weight: 400; color: var(--muted); line-height: 1.35; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.45rem 0.6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-weight: 500; color: var(--muted); }
th.n, td.n { text-align: right; white-space: nowrap; }
tbody th { font-weight: 500; min-width: 9.5rem; overflow-wrap: anywhere; }
tbody small { display: block; font-weight: 400; }
tr.chosen { background: var(--soft); }
.tag { background: var(--accent); color: var(--page); border-radius: 4px; padding: 0.05rem 0.35rem; font-size: 0.75rem; }
.facts { width: auto; } .facts th { color: var(--muted); font-weight: 500; min-width: 7rem; }
.notes { padding-left: 1.1rem; font-size: 0.88rem; color: var(--muted); }
details { margin-top: 1rem; font-size: 0.9rem; }
.chart svg { display: block; max-width: 100%; height: auto; color: var(--ink); }
.chart.narrow { display: none; }
@media (max-width: 700px) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .chart.wide { display: none; }
  .chart.narrow { display: block; }
}
@media print { .scroll { overflow: visible; } }
`;
