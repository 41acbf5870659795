/** Tells the workers about a row. The row is the truth: if the message cannot be sent, the sweeper sends it later. */
import type { MessageKind } from "../../shared/messages.ts";
import type { Queue, Work } from "../../shared/queue.ts";
import type { RowName } from "../../shared/stores/leasedRows.ts";
import type { Observe } from "../requestEvents.ts";

export interface Delivery<Row extends RowName = RowName> {
  send: (row: Row) => Promise<void>;
}

export function createDelivery<Kind extends MessageKind>(
  kind: Kind,
  queue: Pick<Queue, "send">,
  observe: Observe,
): Delivery<Work<Kind>> {
  return {
    async send(row) {
      try {
        await queue.send(kind, row);
      } catch (cause) {
        observe({ type: "message_unsent", job_id: row.id, cause });
      }
    },
  };
}
