/**
 * Finds the problems that prevent publishing, in addition to the checks.
 *
 * @param facts `manifest`: package.json, parsed; `changelog`: its text; `status`: git's list of changes; `tags`: the tags of the
 * commit; `env`: the environment
 * @returns the problems, one sentence each, with what to do
 */
export function releaseProblems({ manifest, changelog, status, tags, env }) {
  const { version, repository } = manifest;
  const problems = [];
  if (status !== '') problems.push('There are changes that are not committed. Commit or remove them.');
  if (!tags.includes(`v${version}`)) problems.push(`The commit is not tagged v${version}. Tag what was tested.`);
  if (!changelog.split('\n').includes(`## ${version}`)) problems.push(`CHANGELOG.md has no "## ${version}". Write it.`);
  if (typeof repository?.url !== 'string')
    problems.push('package.json names no repository. Set repository.url: provenance links the package to it.');
  if (!canProveProvenance(env))
    problems.push(
      'Provenance is signed with the identity of a CI run. Publish from CI: .github/workflows/release.yml.',
    );
  return problems;
}

/** npm can sign in GitHub Actions with `id-token: write`, and in GitLab with an ID token for sigstore. */
function canProveProvenance(env) {
  return Boolean(env.ACTIONS_ID_TOKEN_REQUEST_URL ?? env.SIGSTORE_ID_TOKEN);
}
