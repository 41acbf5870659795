/** Lines of an organization's audit log; each is written in the transaction that makes the change it tells of. */
import { newId } from "../ids.ts";
import { type AuditActor, type AuditDetails, type AuditedType, AuditLog } from "../schemas/auditLog.ts";
import type { Actor } from "../schemas/organization.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Audited {
  type: AuditedType;
  /** What was changed, and how. Never a secret. */
  details: AuditDetails;
  /** Absent: it concerns the organization. */
  project?: { id: string; name: string };
}

export interface AuditLogs {
  /** Newest first, from behind `after` on and down to `until`; both are ids or bounds of ids. */
  stream(
    organization: string,
    range: { after?: string | undefined; until?: string | undefined },
  ): AsyncGenerator<AuditLog>;
  /** Oldest first, from behind `after` on. */
  ascending(organization: string, after: string): AsyncGenerator<AuditLog>;
}

const partition = (organization: string) => `${organization}#audit_log`;
const pageSize = 100;

/** The line, to be written with the change. */
export function auditWrite(actor: Actor, { type, details, project }: Audited): TransactWrite {
  const item: AuditLog = {
    id: newId("audit_log"),
    object: "organization.audit_log",
    type,
    effective_at: Math.floor(Date.now() / 1000),
    ...(project && { project: { id: project.id, name: project.name } }),
    actor: actorOf(actor),
    [type]: details,
  };
  return { type: "create", key: { pk: partition(actor.organization_id), sk: item.id }, item };
}

function actorOf({ key: id, owner }: Actor): AuditActor {
  const email = owner?.email ? { email: owner.email } : {};
  const whose = owner && { type: owner.type, [owner.type]: { id: owner.id, ...email } };
  return { type: "api_key", api_key: { id, ...whose } };
}

export function createAuditLogs(table: Table): AuditLogs {
  async function* read(organization: string, descending: boolean, first?: string) {
    for (let after = first; ; ) {
      const options = { limit: pageSize, descending, ...(after !== undefined && { after }) };
      const items = await table.query(partition(organization), options);
      for (const item of items) yield AuditLog.parse(item);
      after = items.length ? String(items.at(-1)!.sk) : undefined;
      if (items.length < pageSize) return;
    }
  }
  return {
    async *stream(organization, { after, until }) {
      for await (const log of read(organization, true, after)) {
        if (until !== undefined && log.id < until) return;
        yield log;
      }
    },
    ascending: (organization, after) => read(organization, false, after),
  };
}
