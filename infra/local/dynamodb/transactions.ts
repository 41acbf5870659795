/** TransactWriteItems and TransactGetItems, which dynalite lacks, out of its single-item actions. */
import { createHash } from "node:crypto";
import { AwsJsonError, type JsonObject } from "../awsJson.ts";
import { act, conditionHolds, findTable, itemKey, promised, type Store, validate } from "./dynalite.ts";
import type { Engine } from "./engine.ts";
import { dynamoError, validationError } from "./errors.ts";
import { readItem, wantsOldItem } from "./itemWrites.ts";
import { tagPrefix, tagValues } from "./keyspace.ts";
import type { ItemLock } from "./locks.ts";
import { createOverlay } from "./overlay.ts";

type Member = { operation: string | undefined; data: JsonObject; returnsOld: boolean; lock: ItemLock };
type Reason = { Code: string; Message?: string; Item?: unknown };
type Token = { digest: string; at: number };

/** A check writes nothing, but is validated like the write whose input it resembles. */
const operations: Record<string, { validatedAs: string; operation?: string }> = {
  Put: { validatedAs: "PutItem", operation: "PutItem" },
  Update: { validatedAs: "UpdateItem", operation: "UpdateItem" },
  Delete: { validatedAs: "DeleteItem", operation: "DeleteItem" },
  ConditionCheck: { validatedAs: "DeleteItem" },
};
/** Where client request tokens are kept, for as long as AWS keeps them. */
const tokenTag = "~tokens";
const tokenMilliseconds = 600_000;

function listItems(input: JsonObject): JsonObject[] {
  const items = (input.TransactItems ?? []) as JsonObject[];
  if (items.length < 1 || items.length > 100) {
    throw validationError(
      "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length between 1 and 100",
    );
  }
  return items;
}

async function parseMember(store: Store, item: JsonObject): Promise<Member> {
  const [kind = "", ...others] = Object.keys(item);
  const known = operations[kind];
  if (!known || others.length)
    throw validationError("TransactItems can only contain one of Check, Put, Update or Delete");
  const { ReturnValuesOnConditionCheckFailure, ...input } = item[kind] as JsonObject;
  const data = validate(store, known.validatedAs, input);
  const table = String(data.TableName);
  const key = itemKey(data, await findTable(store, table));
  const returnsOld = wantsOldItem(ReturnValuesOnConditionCheckFailure);
  return { operation: known.operation, data, returnsOld, lock: { table, key } };
}

async function attempt(store: Store, base: Store, member: Member): Promise<Reason> {
  const old = await readItem(base, member.lock);
  if (!conditionHolds(member.data, old)) {
    const Item = member.returnsOld ? old : undefined;
    return { Code: "ConditionalCheckFailed", Message: "The conditional request failed", Item };
  }
  try {
    if (member.operation) await act(store, member.operation, member.data);
    return { Code: "None" };
  } catch (error) {
    if (!(error instanceof AwsJsonError)) throw error;
    return { Code: "ValidationError", Message: error.message };
  }
}

function cancelled(reasons: Reason[]): AwsJsonError {
  const codes = reasons.map((reason) => reason.Code).join(", ");
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
  return dynamoError("TransactionCanceledException", message, { CancellationReasons: reasons });
}

/** Whether the token was used for the same request already. Throws IdempotentParameterMismatchException. */
async function isRepeat({ store }: Engine, token: string, digest: string): Promise<boolean> {
  const seen = (await promised<unknown>((callback) => store.getTagDb(tokenTag).get(token, callback))) as
    | Token
    | undefined;
  if (!seen || Date.now() - seen.at > tokenMilliseconds) return false;
  if (seen.digest === digest) return true;
  throw dynamoError("IdempotentParameterMismatchException", "The token was used with different parameters before.");
}

/** The token is written in the batch of the items, so that a retry after a crash cannot apply them twice. */
export async function transactWriteItems(engine: Engine, input: JsonObject): Promise<JsonObject> {
  const { store, locks } = engine;
  const { ClientRequestToken, TransactItems, ...others } = input;
  refuseOthers("TransactWriteItems", others);
  const items = listItems({ TransactItems });
  const token = ClientRequestToken === undefined ? undefined : String(ClientRequestToken);
  const digest = createHash("sha256").update(JSON.stringify(items)).digest("hex");
  const members = await Promise.all(items.map((item) => parseMember(store, item)));
  const keys = members.map((member) => member.lock);
  if (new Set(keys.map(({ table, key }) => `${table}\0${key}`)).size < keys.length) {
    throw validationError("Transaction request cannot include multiple operations on one item");
  }
  return locks.withItems(keys, async () => {
    if (token && (await isRepeat(engine, token, digest))) return {};
    const overlay = createOverlay(store);
    const reasons: Reason[] = [];
    for (const member of members) reasons.push(await attempt(overlay.store, store, member));
    if (reasons.some((reason) => reason.Code !== "None")) throw cancelled(reasons);
    if (token) overlay.put(tagPrefix(tokenTag) + token, { digest, at: Date.now() } satisfies Token);
    await overlay.commit();
    return {};
  });
}

/** The items as of one moment: nobody writes them while they are read. */
export async function transactGetItems({ store, locks }: Engine, input: JsonObject): Promise<JsonObject> {
  const { TransactItems, ...others } = input;
  refuseOthers("TransactGetItems", others);
  const gets = listItems({ TransactItems }).map((item) => validate(store, "GetItem", (item.Get ?? {}) as JsonObject));
  const keys = new Map<string, ItemLock>();
  for (const get of gets) {
    const table = String(get.TableName);
    const key = itemKey(get, await findTable(store, table));
    keys.set(`${table}\0${key}`, { table, key });
  }
  const Responses = await locks.withItems([...keys.values()], () =>
    Promise.all(gets.map(async (get) => ({ Item: (await act(store, "GetItem", get)).Item }))),
  );
  return { Responses };
}

function refuseOthers(operation: string, others: JsonObject): void {
  const [unknown] = Object.keys(others);
  if (unknown) throw validationError(`The local DynamoDB server does not implement ${unknown} of ${operation}.`);
}

/** Forgets tokens that no retry may use any more. */
export async function sweepTokens({ store }: Engine): Promise<void> {
  for await (const [token, { at }] of tagValues<Token>(store, tokenTag)) {
    if (Date.now() - at > tokenMilliseconds) {
      await promised<void>((callback) => store.getTagDb(tokenTag).del(token, callback));
    }
  }
}
