import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { expect } from 'vitest';

type Json = Record<string, unknown>;

interface Definition extends Json {
  description?: string;
  enum?: string[];
  properties?: Record<string, Json>;
}

/** The published schema. */
export const SCHEMA_TEXT = readFileSync(new URL('../../schema/contract.json', import.meta.url), 'utf8');
export const DEFINITIONS: Record<string, Definition> = JSON.parse(SCHEMA_TEXT).definitions;

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const validator = compile(JSON.parse(SCHEMA_TEXT));
/** With `additionalProperties: false` everywhere, so that it finds fields that the schema does not name. */
const closedValidator = compile(closed(JSON.parse(SCHEMA_TEXT)));

export function isValid(type: string, value: unknown): boolean {
  return validator(type)(value) === true;
}

/** Expects a valid value without fields that the schema does not name. */
export function expectValid(type: string, value: unknown): void {
  const validate = closedValidator(type);
  validate(value);
  expect(validate.errors, `${type}: ${JSON.stringify(value)}`).toBeNull();
}

function compile(schema: Json): (type: string) => ValidateFunction {
  const ajv = new Ajv({ allowUnionTypes: true, formats: { 'date-time': ISO_8601 } });
  ajv.addSchema(schema, 'contract');
  return (type) => {
    const validate = ajv.getSchema(`contract#/definitions/${type}`);
    if (!validate) throw new Error(`The schema has no ${type}`);
    return validate;
  };
}

function closed<T>(part: T): T {
  if (Array.isArray(part)) return part.map(closed) as T;
  if (typeof part !== 'object' || part === null) return part;
  const parts = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  return ('properties' in part && 'type' in part ? { ...parts, additionalProperties: false } : parts) as T;
}
