import { describe, expect, it } from 'vitest';
import { scheduleOf } from './schedule.js';
import type { ServerKind } from './servers.js';

const OF_CLUSTERS = [
  ...['killNode', 'restartNode', 'freezeNode', 'killAllNodes', 'restartDatabase', 'killDatabase'],
  'expiredCertificate',
];

function faultsWith(server: ServerKind, seed = 1): string[] {
  const { actions } = scheduleOf({ seed, seconds: 600, perSecond: 0.01, peoplePerSecond: 0.01, server });
  return [...new Set(actions.filter(({ to }) => to === 'world').map(({ kind }) => kind))];
}

describe('the faults of a campaign', () => {
  it('include every fault of a cluster only with a cluster', () => {
    expect(faultsWith('cluster')).toEqual(expect.arrayContaining(OF_CLUSTERS));
    for (const server of ['local', 'existing'] as const) {
      expect(faultsWith(server).filter((kind) => OF_CLUSTERS.includes(kind))).toEqual([]);
    }
  });

  it('kill the server only if it is one process of the campaign', () => {
    expect(faultsWith('local')).toContain('killServer');
    expect(faultsWith('cluster')).not.toContain('killServer');
    expect(faultsWith('existing')).not.toContain('killServer');
  });

  it('are the same for the same seed, apart from those of the server', () => {
    const of = (server: ServerKind) =>
      scheduleOf({ seed: 7, seconds: 60, server }).actions.filter(
        ({ kind }) => kind !== 'killServer' && !OF_CLUSTERS.includes(kind),
      );
    expect(of('cluster')).toEqual(of('local'));
  });
});
