import { posix } from 'node:path';

/** The imports that a part of src may have. */
export interface Rule {
  /** Parts of src. */
  ours: readonly string[];
  /** Parts of src that may only be imported with `import type`. */
  types?: readonly string[];
  /** Packages, `node:` for Node's own modules. */
  packages: readonly string[];
}

/** Rules by the name of the directory or file under src. Each part needs a rule. */
export type Rules = Readonly<Record<string, Rule>>;

/** Source text by path, such as `src/client/index.ts`. */
export type Files = Readonly<Record<string, string>>;

interface Import {
  specifier: string;
  typeOnly: boolean;
  /** With `import()`, so it is loaded when the code runs. */
  lazy: boolean;
}

/** @returns one sentence for each forbidden import */
export function forbiddenImports(files: Files, rules: Rules): string[] {
  return Object.entries(files).flatMap(([file, source]) => {
    const part = partOf(file);
    const rule = rules[part];
    if (!rule) return [`${file}: ${part} has no rule. Add it to RULES in test/house.test.ts`];
    return importsOf(source)
      .filter((imported) => !isAllowed(file, imported, rule))
      .map(({ specifier, typeOnly }) => `${file} imports ${typeOnly ? 'types of ' : ''}${specifier}`);
  });
}

/** @returns the packages that are loaded with a file, directly or through other files of src */
export function packagesLoadedBy(entry: string, files: Files): string[] {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const source = files[file];
    if (source === undefined) throw new Error(`${file} is imported but not there`);
    for (const { specifier, typeOnly, lazy } of importsOf(source)) {
      if (typeOnly || lazy) continue;
      if (isOurs(specifier)) pending.push(target(file, specifier));
      else packages.add(packageOf(specifier));
    }
  }
  return [...packages].sort();
}

/** @returns the files of each import cycle, including `import type` */
export function cyclesIn(files: Files): string[][] {
  const reaches = new Map(Object.keys(files).map((file) => [file, reachableFrom(file, files)]));
  const cycles = new Set<string>();
  for (const [file, reached] of reaches) {
    if (!reached.has(file)) continue;
    cycles.add(
      [...reached]
        .filter((other) => reaches.get(other)?.has(file))
        .sort()
        .join('\n'),
    );
  }
  return [...cycles].map((cycle) => cycle.split('\n'));
}

/** @returns permissions in the rules that no import uses, one sentence each */
export function unusedAllowances(files: Files, rules: Rules): string[] {
  const used = new Set(
    Object.entries(files).flatMap(([file, source]) =>
      importsOf(source).map(({ specifier, typeOnly }) =>
        isOurs(specifier)
          ? `${partOf(file)} ${typeOnly ? 'types of ' : ''}${partOf(target(file, specifier))}`
          : `${partOf(file)} ${packageOf(specifier)}`,
      ),
    ),
  );
  return Object.entries(rules).flatMap(([part, { ours, types = [], packages }]) => [
    ...ours
      .filter((other) => !used.has(`${part} ${other}`) && !used.has(`${part} types of ${other}`))
      .map((other) => `${part} may import ${other}`),
    ...types
      .filter((other) => !used.has(`${part} types of ${other}`))
      .map((other) => `${part} may import types of ${other}`),
    ...packages.filter((name) => !used.has(`${part} ${name}`)).map((name) => `${part} may import ${name}`),
  ]);
}

function reachableFrom(entry: string, files: Files): Set<string> {
  const reached = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    for (const { specifier } of importsOf(files[file] ?? '')) {
      const next = isOurs(specifier) ? target(file, specifier) : undefined;
      if (next === undefined || reached.has(next)) continue;
      reached.add(next);
      pending.push(next);
    }
  }
  return reached;
}

/** Every package that the files import, including types, which must be installed too. */
export function packagesNamedIn(files: Files): string[] {
  const specifiers = Object.values(files).flatMap((source) => importsOf(source).map(({ specifier }) => specifier));
  return [...new Set(specifiers.filter((specifier) => !isOurs(specifier)).map(packageOf))].sort();
}

/** The source without comments, which may mention anything. */
export function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '');
}

/** Finds imports without a parser: the formatter puts every import at the beginning of a line, and no string looks like one. */
function importsOf(source: string): Import[] {
  const text = withoutComments(source);
  const statements = text.matchAll(
    /^(?:import|export)\b(\s+type\b(?!\s+from\b))?(?:[^'"`;=(]*?\bfrom)?\s*(['"])(.+?)\2/gm,
  );
  const calls = text.matchAll(/(\btypeof\s+)?\bimport\(\s*(?:(['"])(.+?)\2)?/g);
  const found = (matches: Iterable<RegExpMatchArray>, lazy: boolean) =>
    [...matches].map(([, type, , specifier]) => ({
      specifier: specifier ?? 'a path that is only known at run time',
      typeOnly: type !== undefined,
      lazy,
    }));
  return [...found(statements, false), ...found(calls, true)];
}

function isAllowed(file: string, { specifier, typeOnly }: Import, rule: Rule): boolean {
  if (!isOurs(specifier)) return rule.packages.includes(packageOf(specifier));
  const part = partOf(target(file, specifier));
  return part === partOf(file) || rule.ours.includes(part) || (typeOnly && (rule.types ?? []).includes(part));
}

function isOurs(specifier: string): boolean {
  return specifier.startsWith('.');
}

function target(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

/** `src/client/index.ts` is in `client`, `src/worker.ts` is `worker`. */
export function partOf(file: string): string {
  return file.split('/')[1]?.replace(/\.ts$/, '') ?? file;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
