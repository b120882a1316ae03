/** The figures of a soak over its minutes, one panel under the other, as SVG. Up to `steadyMs` supervisors hand over to each other. */
export function plot(readings, steadyMs) {
  const panels = [
    ['memory (RSS), MB', 'rssMb'], ['heap after a collection, MB', 'heapMb'], ['descriptors', 'descriptors'], ['timers', 'timers'], ['state and logs on disk, MB', 'diskMb'],
  ].filter(([, key]) => readings.some((reading) => reading[key] !== undefined));
  const [width, height, left, gap] = [720, 90, 60, 40];
  const endMs = Math.max(...readings.map(({ atMs }) => atMs));
  const x = (atMs) => (left + (atMs / endMs) * (width - left - 20)).toFixed(1);
  const parts = panels.map(([title, key], index) => {
    const values = readings.filter((reading) => reading[key] !== undefined);
    const most = Math.max(...values.map((reading) => reading[key])) * 1.1;
    const top = index * (height + gap) + 30;
    const y = (value) => (top + height - (value / most) * height).toFixed(1);
    return `<text x="${left}" y="${top - 8}">${title}</text>
<text x="${left - 6}" y="${top + 10}" text-anchor="end">${most.toFixed(0)}</text><text x="${left - 6}" y="${top + height}" text-anchor="end">0</text>
<path d="M${left} ${top}V${top + height}H${width - 20}" fill="none" stroke="#888"/><path d="M${x(steadyMs)} ${top}v${height}" stroke="#bbb" stroke-dasharray="3 3"/>
<polyline points="${values.map((reading) => `${x(reading.atMs)},${y(reading[key])}`).join(' ')}" fill="none" stroke="#27c" stroke-width="1.5"/>`;
  });
  const bottom = panels.length * (height + gap) + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 10}" font-family="sans-serif" font-size="12" fill="#444">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
<text x="${width - 20}" y="${bottom}" text-anchor="end">${(endMs / 60_000).toFixed(0)} minutes; left of the dashed line supervisors hand over to each other</text>
</svg>
`;
}
