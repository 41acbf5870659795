/** What the local cloud and the CDK stacks both give to every queue. */
export const queueSettings = {
  /** A worker asks for its own; this is for whoever does not. */
  visibilitySeconds: 30,
  /** A message received this often without an outcome is parked even if no worker lived to say so. */
  maxReceiveCount: 50,
} as const;
