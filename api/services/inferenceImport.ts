/** Inferences that were answered elsewhere become rows like those answered here, the same ones each time they are sent. */
import { ApiError } from "../../shared/errors.ts";
import { derivedId, sameId } from "../../shared/ids.ts";
import { StoredContent } from "../../shared/schemas/chatStored.ts";
import {
  type ImportedInference,
  type ImportInferences,
  type InferenceImport,
  importedIdLabel,
} from "../../shared/schemas/importedInference.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Inferences, NewInference } from "../../shared/stores/inferences.ts";

export interface InferenceImportService {
  /** In the order given; durable when it returns. Throws ApiError naming the first that cannot be kept, and keeps none. */
  import(project: Project, request: ImportInferences): Promise<InferenceImport[]>;
}

const endpoint = "/v1/chat/completions";
const mostLabels = 16;
const daySeconds = 24 * 60 * 60;
/** Clocks differ. */
const toleranceSeconds = 300;

export function createInferenceImportService(inferences: Pick<Inferences, "getMany" | "put">): InferenceImportService {
  return {
    async import(project, { data }) {
      data.forEach(check);
      const rows = new Map(data.map((each) => [idOf(project, each), newInference(project, each)]));
      const known = new Set((await inferences.getMany(project.id, [...rows.keys()])).map(({ id }) => id));
      const added = [...rows.values()].filter(({ id }) => !known.has(id));
      await Promise.all(added.map((row) => inferences.put(row)));
      const isAdded = new Set(added.map(({ id }) => id));
      return data.map((each) => {
        const id = idOf(project, each);
        const { is_stored } = rows.get(id)!;
        return { object: "inference.import", id, imported_id: each.id, is_new: isAdded.delete(id), is_stored };
      });
    },
  };
}

/** Of what no schema says. */
function check({ created_at, metadata }: ImportedInference, index: number): void {
  const refuse = (field: string, why: string) => {
    throw new ApiError("invalid_value", `'data[${index}].${field}' ${why}.`, { param: `data[${index}].${field}` });
  };
  if (created_at > Date.now() / 1000 + toleranceSeconds) refuse("created_at", "is a time to come");
  if (Object.keys({ ...metadata, [importedIdLabel]: "" }).length > mostLabels) {
    refuse("metadata", `leaves no room for '${importedIdLabel}': at most ${mostLabels - 1} pairs`);
  }
}

/** Sorted among the others by when it was asked. */
function idOf({ id: project }: Project, { id, created_at }: ImportedInference): string {
  return derivedId("request", created_at * 1000, JSON.stringify([project, id]));
}

function newInference(project: Project, imported: ImportedInference): NewInference {
  const { model, created_at, input, metadata } = imported;
  const id = idOf(project, imported);
  const output = outputOf(id, imported);
  const days = project.inference_retention_days ?? null;
  return {
    id,
    project_id: project.id,
    endpoint,
    model,
    ...{ function: null, variant: null, episode_id: null, digest: null, is_complete: true },
    is_stored: StoredContent.safeParse({ input, output }).success,
    metadata: { ...metadata, [importedIdLabel]: imported.id },
    // Nobody told how long it took.
    latency_ms: 0,
    created_at,
    // Kept from now on: what is older than the project keeps inferences would be gone at once.
    expires_at: days === null ? null : Math.floor(Date.now() / 1000) + days * daySeconds,
    input,
    output,
  };
}

/** As a chat completion of this cloud, with all else that was told of it. */
function outputOf(id: string, { model, created_at, output }: ImportedInference) {
  const choices = output.choices.map((choice, index) => ({
    logprobs: null,
    ...choice,
    index,
    message: { role: "assistant", refusal: null, annotations: [], ...choice.message },
  }));
  const own = { id: sameId("chat_completion", id), object: "chat.completion", created: created_at, model, choices };
  return { system_fingerprint: null, ...output, ...own, service_tier: "default" };
}
