/** What DynamoDB does under contention, which the local cloud's locks never show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TransactionCanceledException, TransactionConflictException } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { createTable } from "../../../shared/stores/table.ts";

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    message: "cancelled",
    $metadata: {},
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
const conflict = new TransactionConflictException({ message: "conflict", $metadata: {} });

/** A table whose writes are answered by these errors in turn, and then succeed. */
function contested(...errors: Error[]) {
  const left = [...errors];
  const send = async () => {
    const error = left.shift();
    if (error) throw error;
    return {};
  };
  return { table: createTable({ send } as unknown as DynamoDBDocumentClient, "t"), left };
}

const key = { pk: "p", sk: "s" };
const holds = { expression: "a = a" };

test("a write that met a transaction is sent again until it is alone", async () => {
  const { table, left } = contested(conflict, conflict);
  assert.equal(await table.update(key, { a: 1 }, holds), true);
  assert.deepEqual(left, []);
});

test("a transaction that met another is sent again; one whose condition fails is not", async () => {
  const met = contested(cancelled("None", "TransactionConflict"));
  assert.equal(await met.table.transact([{ type: "check", key, condition: holds }]), true);
  const refused = contested(cancelled("TransactionConflict", "ConditionalCheckFailed"), conflict);
  assert.equal(await refused.table.transact([{ type: "check", key, condition: holds }]), false);
  assert.equal(refused.left.length, 1);
});

test("any other cancellation is an error", async () => {
  const { table } = contested(cancelled("ValidationError"));
  await assert.rejects(table.transact([{ type: "check", key, condition: holds }]), TransactionCanceledException);
});
