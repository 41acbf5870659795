/** What was looked up is looked up again before it is too old to be used: who asks often never waits for it. */
import { LRUCache } from "lru-cache";

export interface Ages {
  /** Up to this age it is simply used, in milliseconds; beyond it, used while it is looked up again. */
  fresh: number;
  /** Beyond this age it is not used any more. */
  most: number;
}

export interface KeptAhead<Value, Asked> {
  get(key: string, asked: Asked): Promise<Value>;
  /** Now, and for whoever asks next. */
  again(key: string, asked: Asked): Promise<Value>;
  forget(key: string): void;
}

const mostKept = 10_000;

export function createKeptAhead<Value, Asked = void>(
  look: (key: string, asked: Asked) => Promise<Value>,
  { fresh, most }: Ages,
): KeptAhead<Value, Asked> {
  const kept = new LRUCache<string, { value: Value; at: number }>({ max: mostKept });
  const looking = new Map<string, Promise<Value>>();

  const again = async (key: string, asked: Asked): Promise<Value> => {
    const at = Date.now();
    const looked = look(key, asked);
    looking.set(key, looked);
    try {
      const value = await looked;
      // Whoever was told to forget meanwhile keeps nothing of before.
      if (looking.get(key) === looked) kept.set(key, { value, at });
      return value;
    } finally {
      if (looking.get(key) === looked) looking.delete(key);
    }
  };

  return {
    again,
    async get(key, asked) {
      const known = kept.get(key);
      const age = known ? Date.now() - known.at : Number.POSITIVE_INFINITY;
      if (known && age < fresh) return known.value;
      const next = looking.get(key) ?? again(key, asked);
      if (!known || age >= most) return next;
      next.catch(() => {});
      return known.value;
    },
    forget(key) {
      kept.delete(key);
      looking.delete(key);
    },
  };
}
