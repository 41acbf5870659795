/** Tokens that a process took from a bucket and may spend by itself, each share until its time is over. */

interface Share {
  tokens: number;
  until: number;
}

export interface Shares {
  add(share: Share): void;
  /** What may be spent at that time, of what is held now. */
  heldAt(time: number): number;
  /** Returns how many there were not. */
  spend(tokens: number, now: number): number;
  /** To the newest, as long as it may be spent. */
  putBack(tokens: number, now: number): void;
  clear(): void;
}

export function createShares(): Shares {
  let shares: Share[] = [];
  return {
    add: (share) => void shares.push(share),
    heldAt: (time) => shares.reduce((sum, { tokens, until }) => (until > time ? sum + tokens : sum), 0),
    spend(tokens, now) {
      if (shares.some((share) => share.tokens === 0 || share.until <= now)) {
        shares = shares.filter((share) => share.tokens > 0 && share.until > now);
      }
      let left = tokens;
      for (const share of shares) {
        const part = Math.min(left, share.tokens);
        share.tokens -= part;
        left -= part;
      }
      return left;
    },
    putBack(tokens, now) {
      const last = shares.at(-1);
      if (last && last.until > now) last.tokens += tokens;
    },
    clear() {
      shares = [];
    },
  };
}
