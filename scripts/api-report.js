// `npm run api`: writes api/ENTRY.api.md, the exports of each entry, from the declarations in dist, and
// api/cli.txt, the help of every command.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { Command } from 'commander';
import { addCommands } from '../dist/cli/registry.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const [directory = join(root, 'api')] = process.argv.slice(2);

mkdirSync(directory, { recursive: true });
// Deletes reports of entries that no longer exist.
for (const file of readdirSync(directory)) if (file.endsWith('.api.md')) rmSync(join(directory, file));

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = Object.entries(exports).filter(([, { types }]) => types);
const configs = entries.map(([path, { types }]) => configFor(basename(path), join(root, types)));
const additionalEntryPoints = configs.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath);
// One program for all entries, because creating it is most of the work.
const compilerState = CompilerState.create(configs[0], { additionalEntryPoints });
for (const config of configs) {
  Extractor.invoke(config, { localBuild: true, compilerState, messageCallback: quietly });
}
writeFileSync(join(directory, 'cli.txt'), await helpOfAll());

async function helpOfAll() {
  let text = '';
  const writeOut = (part) => {
    text += part;
  };
  // A fixed width, so that the report does not depend on the terminal.
  const program = new Command('temporal-incode').configureOutput({ writeOut, getOutHelpWidth: () => 120 });
  await addCommands(program, () => true);
  for (const command of program.commands) {
    writeOut(`${text ? '\n' : ''}$ temporal-incode ${command.name()} --help\n`);
    command.outputHelp();
  }
  return text;
}

function configFor(entry, mainEntryPointFilePath) {
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath,
      compiler: { tsconfigFilePath: join(root, 'tsconfig.json'), skipLibCheck: true },
      apiReport: {
        enabled: true,
        reportFileName: `${entry}.api.md`,
        reportFolder: directory,
        reportTempFolder: directory,
        // Types that are part of exported ones without being exported.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
    },
  });
}

/** Drops advice on comments and notes about changed reports, which git shows. */
function quietly(message) {
  message.handled = message.logLevel !== 'error';
}
