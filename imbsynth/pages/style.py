"""How a page looks: light and dark, at any width, and on paper."""

# Contrast of text to its ground is at least 4.5 to 1 in both themes (WCAG 2.2, AA).
STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f4f6f8; --ink: #1b1f24;
  --quiet: #57606a; --line: #d5dae0; --accent: #0a58a8; --bar: #2f7ec7; --light: #9cc6ea;
  --mark: #eaf3fb; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --raised: #1d2228;
  --ink: #e7eaee; --quiet: #a3adb8; --line: #363d46; --accent: #7ab8f5; --bar: #5aa2e6;
  --light: #2f5d88; --mark: #1b2a3a; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header, main, footer { max-width: 66rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
footer { padding-top: 1rem; padding-bottom: 3rem; color: var(--quiet); font-size: 0.9rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 0.75rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 2.75rem 0 0.75rem; padding-top: 0.75rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; line-height: 1.3; margin: 2rem 0 0.5rem; }
h1, h2, h3, p, li, caption, figcaption { overflow-wrap: anywhere; }
p, ul { max-width: 46rem; }
p { margin: 0.5rem 0 0.75rem; }
a { color: var(--accent); }
a:focus-visible, .wide:focus-visible, pre:focus-visible { outline: 3px solid var(--accent);
  outline-offset: 2px; }
.best { font-size: 1.15rem; max-width: none; margin: 0 0 1rem; padding: 1rem 1.1rem;
  background: var(--mark); border-left: 5px solid var(--bar); border-radius: 4px; }
nav ul { list-style: none; max-width: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: 0.35rem 1.25rem; }
nav a { display: inline-block; padding: 0.2rem 0; }
.wide { overflow-x: auto; margin: 0.75rem 0 1.25rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { caption-side: top; text-align: left; color: var(--quiet); padding-bottom: 0.4rem;
  font-size: 0.92rem; }
caption span { display: inline-block; position: sticky; left: 0;
  max-width: min(64rem, 100vw - 2rem); }
th, td { padding: 0.32rem 0.75rem 0.32rem 0; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; min-width: 7rem; max-width: 16rem; overflow-wrap: anywhere;
  padding-left: 0.4rem; }
thead th { vertical-align: bottom; font-weight: 600; color: var(--quiet); }
tbody th { font-weight: 500; }
th.words, td.words { text-align: left; }
tr.marked > * { background: var(--mark); }
tr.marked th { font-weight: 700; }
td { white-space: nowrap; }
td.drawn { min-width: 9.5rem; }
td svg { display: block; width: 100%; height: 0.6rem; margin-top: 0.2rem; }
.track { fill: var(--raised); } .bar { fill: var(--bar); } .lighter { fill: var(--light); }
.line { stroke: var(--bar); stroke-width: 2; } .dot { fill: var(--bar); }
.pictures { display: grid; gap: 1rem 1.5rem; align-items: start; margin: 1rem 0 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; min-width: 0; }
figure.across { grid-column: 1 / -1; }
img { display: block; max-width: 100%; height: auto; background: #ffffff; padding: 0.4rem;
  border: 1px solid var(--line); border-radius: 4px; }
figcaption { color: var(--quiet); font-size: 0.92rem; margin-top: 0.35rem; max-width: 46rem; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 4px;
  padding: 0.8rem 1rem; margin: 0.75rem 0; overflow-x: auto; font-size: 0.88rem; line-height: 1.6; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 40rem) { h1 { font-size: 1.4rem; } h2 { font-size: 1.2rem; }
  th, td { padding-right: 0.6rem; font-size: 0.92rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; } }
@media print { :root { color-scheme: light; --ground: #ffffff; --raised: #ffffff; --ink: #000000;
  --quiet: #444444; --line: #bbbbbb; --accent: #000000; --bar: #2f7ec7; --light: #9cc6ea;
  --mark: #ffffff; }
  body { font-size: 10pt; } header, main, footer { max-width: none; padding: 0; }
  nav { display: none; } h2, h3, caption { break-after: avoid; }
  figure, tr, .best { break-inside: avoid; } thead { display: table-header-group; }
  .wide { overflow: visible; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  img { max-height: 22cm; width: auto; }
  svg, .best { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
