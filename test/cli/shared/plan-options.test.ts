import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../../src/cli/shared/exit.js';
import { type PlanOptions, planOf, withPlanOptions } from '../../../src/cli/shared/plan-options.js';

function planFor(args: string, ...finishWhen: PlanOptions['finishWhen'][]) {
  const command = withPlanOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }), ...finishWhen);
  command.parse(args.split(' ').filter(Boolean), { from: 'user' });
  return planOf(command.opts<PlanOptions>());
}

describe('the options of a plan', () => {
  it.each([
    ['', {}],
    ['--finish-when processed --capture-deadline 2d', { finishWhen: 'processed', captureDeadline: '2d' }],
    ['--close --no-score', { close: true, score: false }],
    ['--score-deadline 1h', { scoreDeadline: '1h' }],
    ['--review wait --review-deadline 3d', { review: 'wait', reviewDeadline: '3d' }],
    // What nobody has asked for differs from no plan of a session that runs.
    ['--finish-when now --review report', {}],
  ])('"%s"', (args, plan) => {
    expect(planFor(args)).toEqual(plan);
  });

  it('leave to the command when a session is finished', () => {
    expect(planFor('', 'asked').finishWhen).toBe('asked');
  });

  it('that no session could have are refused before anything is started', () => {
    expect(() => planFor('--score-deadline soon')).toThrow(CliError);
    expect(() => planFor('--score-deadline soon')).toThrow('plan.scoreDeadline must be a duration');
  });
});
