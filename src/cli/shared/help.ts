import { Help, type HelpConfiguration, type Option } from 'commander';

/** Options that most commands share, listed last. */
const COMMON = ['--address', '--namespace', '--task-queue', '--help'];

/** Lists a command's own options first and omits `(default: false)`. */
export const HELP: HelpConfiguration = {
  sortSubcommands: false,
  visibleOptions(command) {
    const options = Help.prototype.visibleOptions.call(this, command);
    const isCommon = ({ long }: Option) => COMMON.includes(long ?? '');
    return [...options.filter((option) => !isCommon(option)), ...options.filter(isCommon)];
  },
  optionDescription(option) {
    return Help.prototype.optionDescription.call(this, option).replace(/ ?\(default: false\)/, '');
  },
};

/** Rewraps paragraphs to the width, as commander does for options. Indented lines, such as examples, stay unchanged. */
export function fillParagraphs(text: string, width: number): string {
  const filled: string[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) filled.push(...wrapped(paragraph.join(' '), width));
    paragraph = [];
  };
  for (const line of text.split('\n')) {
    // A line that begins with a space or ends with a colon is not joined with others.
    if (/^\S/.test(line)) paragraph.push(line);
    else {
      flush();
      filled.push(line);
    }
    if (line.endsWith(':')) flush();
  }
  flush();
  return filled.join('\n');
}

function wrapped(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(/ +/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
