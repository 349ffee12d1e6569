import { type Command, Option } from 'commander';
import { checkImageReference, IMAGE_SIDES, type ImageSide, InvalidInputError } from '../../contract/index.js';
import { addressOf } from '../capture/manifest.js';
import { CliError } from '../shared/exit.js';
import { type TemporalOptions, timeoutOption, withClient, withTemporalOptions } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import { sessionCliError } from '../shared/session.js';

interface ReplaceImageOptions extends TemporalOptions {
  side?: ImageSide;
  image?: string;
  timeout: number;
  json: boolean;
}

export function define(command: Command): void {
  withTemporalOptions(command)
    .argument('<reference>', 'your own id of the person')
    .addOption(new Option('--side <side>', 'required: the image to replace').choices(IMAGE_SIDES))
    .option(
      '--image <address>',
      'required: the new image, as a path below the INCODE_IMAGE_ROOTS of workers or as an address',
    )
    .addOption(timeoutOption('how long to wait for a worker', '30 seconds'))
    .option('--json', 'print what was done as JSON', false)
    .addHelpText(
      'after',
      `
A person in the stage needsImage continues at once if no other image is needed. Workers read the image themselves, so it must be where
they may read it. The command ends when a worker has read it. An image that cannot be used is refused with exit code 2, and the
person goes on waiting. "status" shows which images a person waits for.

Example:
  $ temporal-incode replace-image 4711 --side front --image 4711/front-2.jpg`,
    )
    .action(replaceImage);
}

async function replaceImage(reference: string, options: ReplaceImageOptions): Promise<void> {
  const { side, image: uri, timeout, json } = options;
  // Checked here, because commander's check would come before its suggestion for a misspelled option.
  if (side === undefined || uri === undefined) {
    throw new CliError(`Which image? temporal-incode replace-image ${reference} --side front --image front.jpg`);
  }
  let needs: ImageSide[] = [];
  try {
    const image = checkImageReference({ uri: addressOf(uri) });
    await withClient(options, async ({ people }) => {
      await people.replaceImage(reference, side, image, { timeoutMs: timeout });
      // The image is replaced, even if nobody can say now what else is needed.
      const { state } = await people.state(reference).catch(() => ({ state: null }));
      if (state?.stage === 'needsImage') needs = state.needs;
    });
  } catch (error) {
    if (error instanceof InvalidInputError && error.field === 'image.uri') {
      throw new CliError(error.message.replace('image.uri', '--image'));
    }
    throw sessionCliError(error);
  }
  if (json) printJson({ reference, side, replaced: true, needs });
  else {
    const still = needs.length > 0 ? ` It still needs another image of the ${needs.join(' and the ')}.` : '';
    process.stdout.write(`Person ${reference} has the new image of the ${side}.${still}\n`);
  }
}
