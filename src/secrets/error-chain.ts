/** How many causes of an error are shown: nobody reads more, and an error may be its own cause. */
export const MAX_CAUSES = 8;
