import type { CaptureClient } from 'temporal-incode/incode';

type Images = Record<'front' | 'back' | 'selfie', Uint8Array>;

/** Opens a session and fills it with the images of a person. Finish it when `isFinished` says that the ID is processed. */
export async function capturePerson(incode: CaptureClient, reference: string, images: Images) {
  const { front, back, selfie } = images;
  const { interviewId, token } = await incode.start({ configurationId: 'my-flow', externalCustomerId: reference });
  const session = { interviewId, sessionToken: token };

  const { assessment, failReason, code, hasNoBack } = await incode.addFrontId({ ...session, image: front });
  if (assessment === 'refused') console.warn(`${reference}: Incode refuses the front: ${failReason ?? code}`);
  if (!hasNoBack) await incode.addBackId({ ...session, image: back });
  await incode.processId(session);

  await incode.addFace({ ...session, image: selfie });
  await incode.processFace(session);
  return session;
}
