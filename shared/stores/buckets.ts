/**
 * Rows of token buckets. What is kept of a bucket is one number: the Unix time, in microseconds, at which it will be full
 * again. Taking tokens moves it on by the time they need to come back; it may lie no further ahead than the bucket's whole
 * window. So a taking is one conditional write that needs no read, and many at once do not get into each other's way.
 * The generic cell rate algorithm: ITU-T I.371, annex A; https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type Key, tableSchema } from "./table.ts";

/** A taking from one bucket of a row; times in whole microseconds. */
export interface Move {
  bucket: string;
  /** Where the bucket would be full before that, it counts as full then. */
  from: number;
  /** By how much later it is full; negative gives back. */
  by: number;
  /** The bucket must be full then at the latest, before the move. */
  until: number;
  /** Whether it is believed to be full at `from`. Where that is wrong nothing is taken, and `levels` tell. */
  isFull: boolean;
}

/** When each bucket is full; 0: it always was. */
export type Levels = Record<string, number>;

export interface Buckets {
  /** From all of them or from none, by one write. `levels` are those after it, of the buckets that were moved. */
  take(owner: string, moves: readonly Move[]): Promise<{ taken: boolean; levels: Levels }>;
}

/** Longer than any window: whatever is gone was full. */
const keptSeconds = 3 * 24 * 60 * 60;

const keyOf = (owner: string): Key => ({ pk: `${owner}#bucket`, sk: "bucket" });

export function createBuckets(client: DynamoDBDocumentClient, table: string): Buckets {
  return {
    async take(owner, moves) {
      try {
        const { Attributes } = await client.send(new UpdateCommand(inputFor(table, owner, moves)));
        return { taken: true, levels: levelsOf(moves, (bucket) => Attributes?.[bucket]) };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return { taken: false, levels: levelsOf(moves, (bucket) => error.Item?.[bucket]?.N) };
      }
    },
  };
}

function levelsOf(moves: readonly Move[], level: (bucket: string) => unknown): Levels {
  return Object.fromEntries(moves.map(({ bucket }) => [bucket, Number(level(bucket) ?? 0)]));
}

function inputFor(TableName: string, owner: string, moves: readonly Move[]) {
  const ttl = Math.ceil(Date.now() / 1000) + keptSeconds;
  const sets = moves.map(({ isFull }, i) => `#b${i} = ${isFull ? `:t${i}` : `#b${i} + :t${i}`}`);
  const conditions = moves.map(({ isFull }, i) =>
    isFull ? `(attribute_not_exists(#b${i}) OR #b${i} < :f${i})` : `#b${i} BETWEEN :f${i} AND :u${i}`,
  );
  const values = moves.flatMap(({ isFull, from, by, until }, i): [string, number][] => [
    [`:t${i}`, isFull ? from + by : by],
    [`:f${i}`, from],
    ...(isFull ? [] : [[`:u${i}`, until] satisfies [string, number]]),
  ]);
  return {
    TableName,
    Key: keyOf(owner),
    UpdateExpression: `SET ${[...sets, "#ttl = :ttl"].join(", ")}`,
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeNames: {
      ...Object.fromEntries(moves.map(({ bucket }, i) => [`#b${i}`, bucket])),
      "#ttl": tableSchema.timeToLive,
    },
    ExpressionAttributeValues: { ...Object.fromEntries(values), ":ttl": ttl },
    ReturnValues: "UPDATED_NEW" as const,
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
}
