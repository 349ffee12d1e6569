// Incode's batch process for one person, in the style of clients that wrap axios: node batch.mjs BASE_URL API_KEY

const [baseURL, apiKey] = process.argv.slice(2);
const image = { base64Image: Buffer.from('a picture').toString('base64') };

function createClient(headers) {
  const send = async (method, path, { params = {}, data } = {}) => {
    const url = new URL(baseURL + path);
    url.search = new URLSearchParams(params).toString();
    const body = data === undefined ? {} : { body: JSON.stringify(data) };
    const response = await fetch(url, { method, headers, ...body, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return { status: response.status, data: await response.json() };
  };
  return {
    get: (path, config) => send('GET', path, config),
    post: (path, data, config) => send('POST', path, { ...config, data }),
  };
}

function check(answer, good) {
  if (!good) throw new Error(`a logical failure: ${JSON.stringify(answer)}`);
}

const common = { 'Content-Type': 'application/json', 'api-version': '1.0', 'x-api-key': apiKey };
const open = createClient(common);
const { data: started } = await open.post('/omni/start', { configurationId: 'flow-1', countryCode: 'ALL' });
const { interviewId } = started;
const session = createClient({ ...common, 'X-Incode-Hardware-Id': started.token });

for (const side of ['front', 'back']) {
  const { data } = await session.post(`/omni/add/${side}-id/v2`, image);
  check(data, data.failReason === null);
}
const processed = await session.post('/omni/process/id', {});
check(processed.data, processed.data.success);

const isFinished = async () =>
  (await session.get('/omni/get/postprocess/isfinished', { params: { id: interviewId } })).data.finished;
let finished = await isFinished();
for (let tries = 0; !finished && tries < 100; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  finished = await isFinished();
}
check('the ID is not processed', finished);

const selfie = await session.post('/omni/add/face/third-party', image, { params: { imageType: 'selfie' } });
check(selfie.data, selfie.data.confidence === 0);
const face = await session.post('/omni/process/face', {});
check(face.data, face.data.confidence === 1);
await session.post('/omni/process/government-validation', {});

const { data: finish } = await session.get('/omni/finish-status');
await session.post('/omni/session/status/set', {}, { params: { action: 'Closed' } });
const { data: score } = await session.get('/omni/get/score', { params: { id: interviewId } });
const { data: ocr } = await session.get('/omni/get/ocr-data', { params: { id: interviewId } });

const { data: logIn } = await open.post('/executive/log-in', { email: 'clerk@example.com', password: 'a password' });
const executive = createClient({ ...common, 'X-Incode-Hardware-Id': logIn.token });
const { data: approval } = await executive.post('/omni/process/approve', {}, { params: { interviewId } });

const result = {
  interviewId,
  action: finish.action,
  score: score.overall.status,
  name: ocr.name.fullName,
  approved: approval.success,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
