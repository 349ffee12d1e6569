/** How many causes of an error are shown: nobody reads more, and an error may be its own cause. */
export const MOST_CAUSES = 8;
