/** What of an export could not be brought over, where it stands, and why. */
export interface Problem {
  /** Such as `train.jsonl:12`, `jobs.json, item 3`, or the id of what it is about. */
  place: string;
  message: string;
}
