// A client that sends less than Incode documents: node lean.mjs BASE_URL API_KEY

const [baseURL, apiKey] = process.argv.slice(2);
const base64Image = Buffer.from('a picture').toString('base64');
const json = { 'Content-Type': 'application/json' };
const common = { 'api-version': '1.0', 'x-api-key': apiKey };

async function send(path, { method = 'POST', token, body, headers } = {}) {
  const response = await fetch(baseURL + path, {
    method,
    headers: { ...common, ...(token ? { 'X-Incode-Hardware-Id': token } : {}), ...(body ? json : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

// Neither country nor language; later only the interviewId, for another token.
const { interviewId } = await send('/omni/start', {
  body: { configurationId: 'flow-1', externalCustomerId: 'lean-1' },
});
const { token, existingSession } = await send('/omni/start', { body: { interviewId } });
if (!existingSession) throw new Error('another session was opened');

for (const side of ['front', 'back']) {
  const { failReason } = await send(`/omni/add/${side}-id/v2?onlyFront=false`, { token, body: { base64Image } });
  if (failReason) throw new Error(failReason);
}
// No imageType.
const { confidence } = await send('/omni/add/face/third-party', { token, body: { base64Image } });
await send('/omni/add/user-consent', { token, body: { title: 'Terms', content: 'The terms', status: true } });
await send('/omni/add/ml-consent', { token, body: { status: true } });

// No body, and no Content-Type.
await send('/omni/process/id', { token });
const again = await send('/omni/process/id', { token }).catch((error) => error.message);
if (!again.includes('Id already processed')) throw new Error(`the second time: ${JSON.stringify(again)}`);
const face = await send('/omni/process/face', { token });
const { valid } = await send('/omni/process/government-validation', { token });

const get = (path) => send(path, { method: 'GET', token });
while (!(await get(`/omni/get/postprocess/isfinished?id=${interviewId}`)).finished) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const early = await get(`/0/omni/get/score/?id=${interviewId}&verbose=true`);
const { action } = await send('/0/omni/finish-status', { token });
const final = await get(`/omni/get/score?id=${interviewId}`);

const result = {
  interviewId,
  confidence,
  face: face.confidence,
  valid,
  early: early.idValidation.overall.status,
  action,
  score: final.overall.status,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
