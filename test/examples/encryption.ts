// Shown in docs/encryption.md.
import { Client, Connection } from '@temporalio/client';
import { encryptedDataConverter, keyRingFile } from 'temporal-incode/codec';

const connection = await Connection.connect();
const client = new Client({ connection, dataConverter: encryptedDataConverter(keyRingFile('/run/secrets/keys')) });

export { client };
