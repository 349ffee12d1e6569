import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { ENCRYPTED } from '../contract/encodings.js';
import { excerpt } from '../contract/excerpt.js';
import { decode, encode } from '../temporal/sdk-internals.js';
import { EncryptionKeyError, type KeyRing } from './keys.js';

/** The names and the layout follow Temporal's encryption samples in all languages, so that they can read our payloads. */
const KEY_ID = 'encryption-key-id';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/**
 * Encrypts every payload with AES-256-GCM: nonce, encrypted payload, tag. It also reads payloads that are not encrypted, so that
 * workflows started before there were keys continue. `requireEncryption` refuses them.
 */
export function encryptionCodec(keys: KeyRing, { requireEncryption = false }: EncryptionOptions = {}): PayloadCodec {
  return {
    encode: async (payloads) => payloads.map((payload) => encrypted(payload, keys)),
    decode: async (payloads) =>
      payloads.map((payload) => {
        if (isEncrypted(payload)) return decrypted(payload, keys);
        if (!requireEncryption) return payload;
        throw new EncryptionKeyError('A payload is not encrypted, but encryption is required here.');
      }),
  };
}

export interface EncryptionOptions {
  /** Refuses payloads that are not encrypted. @default false: workflows started before there were keys continue */
  requireEncryption?: boolean;
}

type EncryptedPayload = Payload & { metadata: NonNullable<Payload['metadata']> };

export function isEncrypted(payload: Payload): payload is EncryptedPayload {
  const { metadata } = payload;
  return metadata?.encoding != null && decode(metadata.encoding) === ENCRYPTED;
}

function encrypted(payload: Payload, keys: KeyRing): Payload {
  const { id, key } = keys.writing();
  // NIST SP 800-38D: with random 96-bit nonces, a key may encrypt 2^32 payloads.
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const body = cipher.update(PayloadMessage.encode(payload).finish());
  return {
    metadata: { encoding: encode(ENCRYPTED), [KEY_ID]: encode(id) },
    data: Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]),
  };
}

function decrypted(payload: EncryptedPayload, keys: KeyRing): Payload {
  const { [KEY_ID]: keyId } = payload.metadata;
  const id = keyId ? decode(keyId) : '';
  const key = keys.reading(id);
  if (!key) {
    throw new EncryptionKeyError(
      `A payload is encrypted with key "${excerpt(id)}", which is not among the keys here. Add it after the key that writes.`,
    );
  }
  const data = payload.data ?? new Uint8Array();
  if (data.length < NONCE_BYTES + TAG_BYTES) throw new EncryptionKeyError('An encrypted payload is too short.');
  const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
  const body = decipher.update(data.subarray(NONCE_BYTES, data.length - TAG_BYTES));
  try {
    return PayloadMessage.decode(Buffer.concat([body, decipher.final()]));
  } catch {
    throw new EncryptionKeyError(
      `A payload cannot be decrypted with key "${excerpt(id)}": the payload was changed, or it is a different key with the same id.`,
    );
  }
}
