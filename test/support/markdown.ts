/** A page's text without its blocks of code. */
export function prose(page: string): string {
  return page.replace(/^```[\s\S]*?^```$/gm, '');
}

/** The code blocks of one language, or of all languages. */
export function codeBlocks(page: string, language = '\\w*'): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code = '']) => code);
}

/** The text under a heading, up to the next heading of its level. */
export function section(page: string, heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`);
  if (text === undefined) throw new Error(`No heading is called "${heading}"`);
  return text.split('\n## ')[0] ?? '';
}

/** The cells of the first table with this first column, without its head. */
export function tableOf(page: string, firstColumn: string): string[][] {
  const lines = prose(page).split('\n');
  const head = lines.findIndex((line) => cells(line)[0] === firstColumn);
  if (head < 0) throw new Error(`No table begins with the column "${firstColumn}"`);
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map(cells);
}

/** The texts in backquotes. */
export function inCode(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

export function links(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors that GitHub gives a page's headings. */
export function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function cells(line: string): string[] {
  return line.startsWith('|')
    ? line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    : [];
}
