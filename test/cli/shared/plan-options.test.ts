import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../../src/cli/shared/exit.js';
import { type PlanOptions, planOf, withPlanOptions } from '../../../src/cli/shared/plan-options.js';

function planFor(args: string, ...finishWhen: PlanOptions['finishWhen'][]) {
  const command = withPlanOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }), ...finishWhen);
  command.parse(args.split(' ').filter(Boolean), { from: 'user' });
  return planOf(command.opts<PlanOptions>());
}

describe('planOf', () => {
  it.each([
    ['', {}],
    ['--finish-when processed --capture-deadline 2d', { finishWhen: 'processed', captureDeadline: '2d' }],
    ['--close --no-score', { close: true, score: false }],
    ['--score-deadline 1h', { scoreDeadline: '1h' }],
    ['--review wait --review-deadline 3d', { review: 'wait', reviewDeadline: '3d' }],
    // Parts that the user did not name must not differ from the plan of a running session.
    ['--finish-when now --review report', {}],
  ])('converts the options "%s"', (args, plan) => {
    expect(planFor(args)).toEqual(plan);
  });

  it("uses the command's default for --finish-when", () => {
    expect(planFor('', 'asked').finishWhen).toBe('asked');
  });

  it('refuses an invalid plan before anything starts', () => {
    expect(() => planFor('--score-deadline soon')).toThrow(CliError);
    expect(() => planFor('--score-deadline soon')).toThrow('plan.scoreDeadline must be a duration');
  });
});
