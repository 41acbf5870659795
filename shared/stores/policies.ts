/** Rows of policies, one a function: those with a trigger are looked at by workers again and again. */
import { lifeOf } from "../life.ts";
import { PolicyRecord, type policyStates } from "../schemas/policy.ts";
import { createLeasedRows, type LeasedRows } from "./leasedRows.ts";
import { type Table, type TransactWrite, tableSchema } from "./table.ts";

type PolicyState = (typeof policyStates)[number];
type Rows = LeasedRows<PolicyState, PolicyRecord>;

export const policyLife = lifeOf<PolicyState>({ watching: ["watching", "idle"], idle: ["watching", "idle"] }, [
  "watching",
]);

export interface Policies
  extends Pick<Rows, "kind" | "get" | "acquire" | "renew" | "release" | "overdue" | "postpone"> {
  create(record: PolicyRecord): Promise<boolean>;
  /** False when it was changed since it was read. */
  replace(earlier: PolicyRecord, record: PolicyRecord): Promise<boolean>;
  /** Its rows ask the sweeper to be looked at again. */
  readonly wakes: true;
  /** Gives the lease up until `time` in milliseconds, when the sweeper sends a message. */
  wait(record: PolicyRecord, attempt: string, time: number, changes?: Partial<PolicyRecord>): Promise<boolean>;
  /** A turn begins, to be written with the promotion's row. */
  turnWrite(record: PolicyRecord, changes: Partial<PolicyRecord>): TransactWrite;
  /** The labels of a version were found good, to be written with what follows from it. */
  passedWrite(project: string, name: string, version: string): TransactWrite;
}

const keyOf = (project: string, name: string) => ({ pk: `${project}#policy`, sk: name });

export function createPolicies(table: Table): Policies {
  const rows = createLeasedRows<PolicyState, PolicyRecord>(table, {
    kind: "policy",
    noun: "policy",
    parse: (item) => PolicyRecord.parse(item),
    life: policyLife,
  });
  const still = (record: PolicyRecord) => {
    return { expression: "revision = :revision", values: { ":revision": record.revision } };
  };
  const turnWrite = (record: PolicyRecord, changes: Partial<PolicyRecord>): TransactWrite => ({
    type: "update",
    key: keyOf(record.project_id, record.id),
    changes: { ...changes, revision: record.revision + 1 },
    condition: still(record),
  });
  return {
    ...rows,
    wakes: true,
    create: (record) => rows.create(record),
    turnWrite,
    replace(earlier, { lease: _lease, failures: _failures, ...changes }) {
      const { partition, sort } = tableSchema.workIndex;
      const due = changes.status === "watching" ? { [partition]: "policy", [sort]: new Date().toISOString() } : {};
      const next = { [partition]: undefined, [sort]: undefined, ...due, revision: earlier.revision + 1 };
      return table.update(keyOf(earlier.project_id, earlier.id), { ...changes, ...next }, still(earlier));
    },
    wait(record, attempt, time, changes = {}) {
      const due = { [tableSchema.workIndex.sort]: new Date(time).toISOString() };
      return rows.release(record, attempt, { ...changes, ...due });
    },
    passedWrite: (project, name, version) => ({
      type: "update",
      key: keyOf(project, name),
      changes: { passed_version: version },
      condition: { expression: "attribute_exists(pk)" },
    }),
  };
}
