/** Told apart by those who see no red or green too. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73'];

/** An image that can be read on white and on black, with its title. */
export function image({ title, width, height, left }, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<style>
  .back { fill: #fff } text { fill: #222 } .grid { stroke: #ccc }
  @media (prefers-color-scheme: dark) { .back { fill: #111 } text { fill: #ddd } .grid { stroke: #444 } }
</style>
<rect class="back" width="${width}" height="${height}"/>
<text x="${left}" y="24" font-size="16">${escaped(title)}</text>
${body}
</svg>
`;
}

export function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
