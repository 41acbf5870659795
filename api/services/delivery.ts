/** Tells the workers about a row. The row is the truth: if the message cannot be sent, the sweeper sends it later. */
import type { MessageKind } from "../../shared/messages.ts";
import type { Queue } from "../../shared/queue.ts";
import type { RowName } from "../../shared/stores/leasedRows.ts";
import type { Observe } from "../requestEvents.ts";

export interface Delivery {
  send(row: RowName): Promise<void>;
}

export function createDelivery(kind: MessageKind, queue: Pick<Queue, "send">, observe: Observe): Delivery {
  return {
    async send({ project_id, id }) {
      try {
        await queue.send({ kind, project_id, id });
      } catch (cause) {
        observe({ type: "message_unsent", job_id: id, cause });
      }
    },
  };
}
