/** Objects that are of use for a while: a tag tells the bucket's lifecycle which they are, and so which are not. */

export const transientTag = "millrace-transient";

/** Days after which the bucket lets go of what nobody deleted before; the tag's value names the kind. */
export const keptDays = {
  /** What a job goes on from: of use until it is over, and while it is paused. */
  checkpoint: 90,
  /** Of an upload, which takes parts for an hour and is then cleared by the sweep. */
  upload_part: 3,
} as const;

export type Transient = keyof typeof keptDays;

/** As S3 has tags in the header of a write. */
export const tagging = (kind: Transient): string => `${transientTag}=${kind}`;
