import type { Score } from './session.js';

/** @returns the body of Incode's score. All its parts are optional, and its numbers are strings. */
export function scoreParts({ status, value }: Score): Record<string, unknown> {
  if (status === 'UNKNOWN') return { overall: { status } };
  const overall = { value, status };
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
      ],
      idSpecific: [
        { value: '100', status: 'OK', key: 'documentClassification' },
        { value: '100', status: 'OK', key: 'birthDateValidity' },
        { value: '100', status: 'OK', key: 'documentExpired' },
        passed('fullNameCrosscheck'),
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
    overall,
  };
}
