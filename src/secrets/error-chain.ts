/** Maximum number of causes to print. An error may be its own cause, so the chain can be endless. */
export const MAX_CAUSES = 8;
