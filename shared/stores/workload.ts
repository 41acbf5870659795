/** How many rows want a worker now, by state: read from the sparse index, which holds those and no others. */
import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { MessageKind } from "../messages.ts";
import { tableSchema } from "./table.ts";

export interface Workload {
  /** Of all projects. Where there are very many, the first ten megabytes of them. */
  count(kind: MessageKind): Promise<Map<string, number>>;
}

/** A page is a megabyte, and costs 128 read units. */
const mostPages = 10;

export function createWorkload(client: DynamoDBDocumentClient, TableName: string): Workload {
  const { name: IndexName, partition } = tableSchema.workIndex;
  return {
    async count(kind) {
      const counts = new Map<string, number>();
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      for (let pages = 0; pages < mostPages; pages++) {
        const page = await client.send(
          new QueryCommand({
            ...{ TableName, IndexName, ExclusiveStartKey },
            KeyConditionExpression: `${partition} = :kind`,
            ExpressionAttributeValues: { ":kind": kind },
            ProjectionExpression: "#status",
            ExpressionAttributeNames: { "#status": "status" },
          }),
        );
        for (const { status } of page.Items ?? []) {
          if (typeof status === "string") counts.set(status, (counts.get(status) ?? 0) + 1);
        }
        ExclusiveStartKey = page.LastEvaluatedKey;
        if (!ExclusiveStartKey) break;
      }
      return counts;
    },
  };
}
