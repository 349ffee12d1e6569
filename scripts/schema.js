// Writes schema/contract.json, the JSON Schema of all inputs and results, from the types of src/contract.
// TSDoc becomes descriptions. The generator brings its own TypeScript, because TypeScript 7 has no compiler API.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';

/** Inputs, arguments, answers and results. The types that they consist of are included automatically. */
const TYPES = [
  'OnboardingInput',
  'RenewTokenInput',
  'ExtendDeadlineInput',
  'StatusChangedInput',
  'FinishAnswer',
  'ExtendedDeadline',
  'OnboardingState',
  'OnboardingResult',
  'BatchInput',
  'BatchProgress',
  'BatchResult',
  'CaptureInput',
  'ReplaceImageInput',
  'SessionStartedInput',
  'CaptureState',
  'CaptureResult',
  'CaptureBatchInput',
  'CaptureBatchResult',
  'FailureType',
];

/**
 * Inputs from callers, whose guards refuse unknown keys and treat `null` as absent. All other types are open, because another version may
 * add fields.
 */
const CHECKED = [
  'OnboardingInput',
  'Plan',
  'RenewTokenInput',
  'ExtendDeadlineInput',
  'BatchInput',
  'BatchSession',
  'BatchPlan',
  'CaptureInput',
  'CapturePlan',
  'CaptureBatchInput',
  'CapturePerson',
  'ImageReference',
  'ReplaceImageInput',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const [file = join(root, 'schema', 'contract.json')] = process.argv.slice(2);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(contractSchema(), null, 2)}\n`);

function contractSchema() {
  const generator = createGenerator({
    path: join(root, 'src', 'contract', '*.ts'),
    tsconfig: join(root, 'tsconfig.json'),
    additionalProperties: true,
    // The package's own compiler checks the types; the generator only reads them.
    skipTypeCheck: true,
  });
  const definitions = Object.assign({}, ...TYPES.map((type) => generator.createSchema(type).definitions));
  const named = Object.entries(definitions).map(([name, type]) => [
    name,
    CHECKED.includes(name) ? checked(type) : type,
  ]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'temporal-incode',
    description:
      'Inputs, messages and results of the workflows onboardingSession, onboardingBatch, captureOnboarding and captureBatch. docs/contract.md says which is whose.',
    definitions: tidy(Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)))),
  };
}

function checked(type) {
  const properties = Object.entries(type.properties).map(([name, property]) => [
    name,
    type.required?.includes(name) ? property : orNull(property),
  ]);
  return { ...type, properties: Object.fromEntries(properties), additionalProperties: false };
}

function orNull({ description, default: byDefault, ...type }) {
  return { ...(description && { description }), default: byDefault, anyOf: [type, { type: 'null' }] };
}

/** Splits `@default "7 days": the reason` into value and text, and removes the indentation of lists. */
function tidy(value) {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, tidy(part)]));
  if (typeof parts.description === 'string') parts.description = parts.description.replace(/ {2,}/g, ' ');
  const [byDefault, json] = /^("[^"]*"): .*$/s.exec(parts.default) ?? [];
  if (json === undefined) return parts;
  const description = `${parts.description} Default: ${byDefault.replaceAll('\n', ' ')}`;
  return { ...parts, description, default: JSON.parse(json) };
}
