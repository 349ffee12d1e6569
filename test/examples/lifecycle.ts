import { createWorker, readConfig, type TokenSource } from 'temporal-incode/worker';

const vault: TokenSource = { token: (interviewId, signal) => readFromVault(interviewId, signal) };
const worker = await createWorker(readConfig(), { tokenSource: vault });
await worker.run();

// Around it:

declare function readFromVault(interviewId: string, signal: AbortSignal): Promise<string>;
