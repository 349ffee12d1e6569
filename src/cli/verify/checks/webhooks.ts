import { asAssumed, type Check, configure, notTried, safe } from '../check.js';

export const WEBHOOKS: readonly Check[] = [
  {
    id: 'webhook-after-finish',
    assumption: 'A webhook follows the finish',
    why: 'A waiting session learns at once what its next poll would find hours later.',
    evidence: 'D',
    tried: 'listen behind --public-url after a finish',
    needs: ['webhook'],
    judge({ webhook: { isReachable, waitedMs, deliveries } }) {
      const [first] = deliveries;
      if (first) return asAssumed(`after ${(first.ms / 1_000).toFixed(1)} s`);
      const seen = `none in ${Math.round(waitedMs / 1_000)} s`;
      if (!isReachable) return notTried(`${seen}; the public URL does not lead here`);
      return configure(seen, "Set the webhook URL on Incode's dashboard. Without one, lower INCODE_REVIEW_POLL.");
    },
  },
  {
    id: 'webhook-fields',
    assumption: 'A webhook names interviewId and onboardingStatus',
    why: 'The receiver reads the session and its status from these fields.',
    evidence: 'O',
    tried: 'read the deliveries with the parser of the receiver',
    needs: ['webhook'],
    judge({ webhook: { deliveries } }) {
      if (deliveries.length === 0) return notTried('no delivery');
      if (deliveries.every(({ understood }) => understood)) return asAssumed(`${deliveries.length} understood`);
      return safe(
        'not understood',
        'The receiver refuses such deliveries, and sessions wait for the next poll. Report this.',
      );
    },
  },
  {
    id: 'webhook-repeated',
    assumption: 'A second finish sends the webhook again',
    why: 'Your own receivers must accept the same status twice.',
    evidence: 'D',
    tried: 'listen behind --public-url after the second finish',
    needs: ['secondWebhook'],
    judge: ({ secondWebhook }) =>
      secondWebhook > 0 ? asAssumed('sent again') : safe('not sent again', 'The package deduplicates either way.'),
  },
];
