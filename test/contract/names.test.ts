import { describe, expect, it } from 'vitest';
import { answerWorkflowId, claimsWorkflowId, onboardingWorkflowId } from '../../src/contract/names.js';

describe('workflow ids', () => {
  it('never change, because callers and open workflows use them', () => {
    expect(onboardingWorkflowId('interview')).toBe('incode-onboarding/interview');
    expect(answerWorkflowId('interview', 'request')).toBe('incode-answer/interview/request');
    expect(claimsWorkflowId('queue')).toBe('incode-batch-claims/queue');
  });
});
