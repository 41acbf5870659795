/** Rows of episodes. Their inferences are found by the inferences' own index. */
import { EpisodeRecord } from "../schemas/episode.ts";
import { createIndexedRows, type IndexedRows, timeToLiveOf } from "./indexedRows.ts";
import type { Table } from "./table.ts";

export interface Episodes extends Pick<IndexedRows<EpisodeRecord, "judged">, "get" | "stream" | "keyOf" | "pointerTo"> {
  create(episode: Pick<EpisodeRecord, "id" | "project_id" | "created_at" | "expires_at">): Promise<void>;
  /** Has it expire no earlier than what belongs to it. */
  prolong(project: string, id: string, expires_at: number): Promise<void>;
}

export function createEpisodes(table: Table): Episodes {
  const rows = createIndexedRows<EpisodeRecord, "judged">(table, {
    noun: "episode",
    parse: (item) => EpisodeRecord.parse(item),
    indexes: ({ feedback }) => ({ judged: Object.keys(feedback).length ? "true" : null }),
  });
  return {
    ...rows,
    async create(episode) {
      const row: EpisodeRecord = { ...episode, feedback: {}, feedback_revision: 0 };
      await table.create(rows.keyOf(row), rows.itemOf(row));
    },
    async prolong(project_id, id, expires_at) {
      const later = { expression: "expires_at < :expires_at", values: { ":expires_at": expires_at } };
      await table.update(rows.keyOf({ project_id, id }), { expires_at, ...timeToLiveOf(expires_at) }, later);
    },
  };
}
