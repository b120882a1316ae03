/** Rows over one of their columns as SVG, one panel under the other; both axes are logarithmic, so that what grows in proportion is a line of one slope. */
export function curves(rows, { x, xTitle, panels, note }) {
  const [width, height, left, right, gap] = [720, 110, 70, 20, 46];
  const inLog = (values) => {
    const [low, high] = [Math.floor(Math.log10(Math.min(...values)) + 1e-9), Math.ceil(Math.log10(Math.max(...values)) - 1e-9)];
    return { low, high: Math.max(high, low + 1), at: (value) => (Math.log10(value) - low) / (Math.max(high, low + 1) - low) };
  };
  const across = inLog(rows.map((row) => row[x]));
  const xOf = (value) => (left + across.at(value) * (width - left - right)).toFixed(1);
  const parts = panels.map(([title, key], index) => {
    const shown = rows.filter((row) => row[key] > 0);
    if (shown.length === 0) return '';
    const up = inLog(shown.map((row) => row[key]));
    const top = index * (height + gap) + 30;
    const yOf = (value) => (top + height - up.at(value) * height).toFixed(1);
    const lines = Array.from({ length: up.high - up.low + 1 }, (_, step) => 10 ** (up.low + step));
    return `<text x="${left}" y="${top - 8}">${title}</text>
${lines.map((value) => `<path d="M${left} ${yOf(value)}H${width - right}" stroke="#ddd"/><text x="${left - 6}" y="${Number(yOf(value)) + 4}" text-anchor="end">${plain(value)}</text>`).join('\n')}
<polyline points="${shown.map((row) => `${xOf(row[x])},${yOf(row[key])}`).join(' ')}" fill="none" stroke="#27c" stroke-width="1.5"/>
${shown.map((row) => `<circle cx="${xOf(row[x])}" cy="${yOf(row[key])}" r="2.5" fill="#27c"/><text x="${xOf(row[x])}" y="${Number(yOf(row[key])) - 6}" text-anchor="middle" font-size="10">${plain(row[key])}</text>`).join('\n')}
${rows.map((row) => `<text x="${xOf(row[x])}" y="${top + height + 14}" text-anchor="middle" font-size="10">${plain(row[x])}</text>`).join('')}`;
  });
  const bottom = panels.length * (height + gap) + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 10}" font-family="sans-serif" font-size="12" fill="#444">
<rect width="100%" height="100%" fill="#fff"/>
${parts.filter((part) => part !== '').join('\n')}
<text x="${left}" y="${bottom}">${xTitle}; ${note}</text>
</svg>
`;
}

export function plain(value) {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}
