/** Rows of answers, for tests of what the API does with them. */
import { newId } from "../../shared/ids.ts";
import type { AnswerRecord } from "../../shared/schemas/answerTask.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Tenant } from "./deployment.ts";

export async function addAnswer(
  stores: Stores,
  { project }: Tenant,
  changes: Partial<AnswerRecord> = {},
): Promise<AnswerRecord> {
  const now = Math.floor(Date.now() / 1000);
  const record: AnswerRecord = {
    id: newId("answer"),
    status: "completed",
    endpoint: "/v1/decisions",
    model: "ft:tiny",
    request_id: newId("request"),
    created_at: now,
    finished_at: now,
    project_id: project.id,
    lease: null,
    failures: 0,
    episode_id: null,
    assignment: null,
    request: { json: "{}" },
    is_stream: false,
    digest: null,
    response: { status_code: 200, body: { json: '{"model":"ft:tiny"}' } },
    written_by: null,
    relayed: false,
    expires_at_ttl: now + 3600,
    ...changes,
  };
  await stores.answers.create(record);
  return record;
}
