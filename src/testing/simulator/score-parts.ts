import type { Score, SimulatedSession } from './session.js';

type Part = Record<string, unknown>;
type Sections = Record<'idValidation' | 'liveness' | 'faceRecognition' | 'idOcrConfidence', Part>;

/** @returns the body of Incode's score. All its parts are optional, and its numbers are strings. */
export function scoreParts({ status, value }: Score, isVerbose: boolean): Part {
  return status === 'UNKNOWN'
    ? { overall: { status } }
    : { ...sectionsOf({ status, value }, isVerbose), overall: { value, status } };
}

/** @returns the score before finish-status: the sections of what was processed so far */
export function earlyScoreParts(
  { added, capture: { processed } }: SimulatedSession,
  { isProcessed, isVerbose, overall }: { isProcessed: boolean; isVerbose: boolean; overall: Score | undefined },
): Part {
  const { idValidation, idOcrConfidence, liveness, faceRecognition } = sectionsOf(MEASURED, isVerbose);
  return {
    ...(processed.id > 0 && isProcessed && { idValidation, idOcrConfidence }),
    ...(added.face && { liveness }),
    ...(processed.face > 0 && { faceRecognition }),
    overall: overall ?? { status: 'UNKNOWN' },
  };
}

const MEASURED: Score = { status: 'OK', value: '94.6' };

function sectionsOf({ status, value }: Score, isVerbose: boolean): Sections {
  // A person's decision changes only the overall status, not the parts.
  const measured = { value, status: status.startsWith('MANUAL') ? 'WARN' : status };
  const passed = (key: string) => ({ value: 'PASSED', status: 'OK', key });
  return {
    idValidation: {
      photoSecurityAndQuality: [
        passed('tamperCheck'),
        passed('alignment'),
        { value: 'OK', status: 'OK', key: 'screenIdLiveness' },
        { value: 'OK', status: 'OK', key: 'paperIdLiveness' },
        { value: '96', status: 'OK', key: 'balancedLightFront' },
        { value: '99', status: 'OK', key: 'sharpnessFront' },
        ...(isVerbose ? [passed('postitCheck'), passed('idAlreadyUsedCheck')] : []),
      ],
      idSpecific: [
        { value: '100', status: 'OK', key: 'documentClassification' },
        { value: '100', status: 'OK', key: 'birthDateValidity' },
        { value: '100', status: 'OK', key: 'documentExpired' },
        passed('fullNameCrosscheck'),
        ...(isVerbose ? [{ value: '100', status: 'OK', key: 'expirationDateValidity' }] : []),
      ],
      appliedRule: null,
      overall: measured,
    },
    liveness: {
      livenessScore: { value: '99.1', status: 'OK' },
      photoQuality: { value: '100.0', status: 'OK' },
      overall: measured,
    },
    faceRecognition: {
      existingUser: false,
      maskCheck: { value: '0.0', status: 'OK' },
      lensesCheck: { value: '0.0', status: 'OK' },
      faceBrightness: { value: '128.6', status: 'OK' },
      appliedRule: null,
      overall: measured,
    },
    idOcrConfidence: { overallConfidence: { value: '99.0', status: 'OK' } },
  };
}
