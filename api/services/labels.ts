/** Labelling: rows handed out, each to as many labellers as it wants and no more, and what they say taken in. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import { lessonOf } from "../../shared/inference/lessons.ts";
import type { Answer, CreateLabel, Label, LabelItem, LabelItemRecord, LeasedItem } from "../../shared/schemas/label.ts";
import type { LabelQueueRecord, LabelStrategy } from "../../shared/schemas/labelQueue.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";

export interface LabelWish {
  strategy?: LabelStrategy | undefined;
  queue_id?: string | undefined;
  limit: number;
  lease_seconds: number;
}

export interface LabelService {
  /** The same rows again for a labeller who asks again before they answered. */
  lease(project: Project, labeller: string, wish: LabelWish): Promise<{ queue_id: string; data: LeasedItem[] }>;
  /** The same answer again is that one; another one corrects it. */
  create(project: Project, labeller: string, label: CreateLabel): Promise<Label>;
}

type Needs = Pick<Stores, "labelQueues" | "labelItems" | "inferences">;

export function createLabelService({ labelQueues, labelItems, inferences }: Needs): LabelService {
  const shown = async (item: LabelItemRecord, labeller: string): Promise<LeasedItem | undefined> => {
    const text = await textOf(inferences, item);
    if (text !== null) {
      const { answers: _others, ...fields } = await shownItem(inferences, item, text);
      return { ...fields, lease_expires_at: Math.floor(item.leases[labeller]! / 1000) };
    }
    // There is nothing left to label.
    await labelItems.close(item);
    return undefined;
  };
  return {
    async lease(project, labeller, { limit, lease_seconds: seconds, ...wish }) {
      const queue = await queueFor(labelQueues, project, wish);
      const data: LeasedItem[] = [];
      for (let missing = limit; missing > 0; missing = limit - data.length) {
        const { items, closed_below } = await labelItems.lease(queue, { labeller, count: limit, seconds });
        const known = new Set(data.map(({ id }) => id));
        const fresh = await Promise.all(items.filter(({ id }) => !known.has(id)).map((item) => shown(item, labeller)));
        data.push(...fresh.filter((item) => item !== undefined));
        if (closed_below > queue.closed_below) await labelQueues.closeBelow(queue, closed_below);
        // Of some the text was gone: there may be others in their place.
        if (fresh.every((item) => item !== undefined)) break;
      }
      return { queue_id: queue.id, data };
    },
    async create(project, labeller, { item_id, label, outcome = "labelled" }) {
      if ((outcome === "labelled") !== (label !== undefined)) {
        const rule = outcome === "labelled" ? "missing_required_parameter" : "invalid_value";
        const message = "'label' is wanted where the outcome is 'labelled', and only there.";
        throw new ApiError(rule, message, { param: "label" });
      }
      const item = await labelItems.get(project.id, item_id);
      const queue = item && (await labelQueues.get(project.id, item.queue_id));
      if (!queue) throw notFound("item of a label queue", item_id, "item_id");
      checkLabel(queue, label);
      const created_at = Math.floor(Date.now() / 1000);
      const answer: Answer = { id: newId("label"), outcome, label: label ?? null, created_at };
      const answered = await labelItems.answer(item, labeller, answer);
      if (!answered) throw notTheirs(item_id, labeller);
      return shownLabel(answered, labeller, answered.answers[labeller]!);
    },
  };
}

/** The newest that is ready, where none is named. */
async function queueFor(
  queues: Needs["labelQueues"],
  project: Project,
  { strategy, queue_id }: Pick<LabelWish, "strategy" | "queue_id">,
): Promise<LabelQueueRecord> {
  const equals = { ...(strategy && { strategy }), status: "ready" };
  const found =
    queue_id === undefined
      ? (await queues.list(project.id, { limit: 1, descending: true, equals }))[0]
      : await queues.get(project.id, queue_id);
  if (!found) throw notFound("label queue", queue_id ?? strategy ?? "any", queue_id ? "queue_id" : "strategy");
  if (strategy && found.strategy !== strategy) {
    throw new ApiError("invalid_value", `The queue '${found.id}' is by '${found.strategy}'.`, { param: "strategy" });
  }
  if (found.status === "ready") return found;
  throw new ApiError("invalid_state", `The label queue '${found.id}' is ${found.status}.`, { param: "queue_id" });
}

function checkLabel({ labels }: LabelQueueRecord, label: string | undefined): void {
  if (label === undefined || labels === null || labels.includes(label)) return;
  const shown = labels.slice(0, 10).map((each) => `'${each}'`);
  const message = `'${label}' is none of the queue's labels: ${shown.join(", ")}${labels.length > 10 ? " and others" : ""}.`;
  throw new ApiError("invalid_value", message, { param: "label" });
}

function notTheirs(item: string, labeller: string): ApiError {
  const message = `'${item}' is not with '${labeller}': it was not given to them, or their lease ran out and others have it.`;
  return new ApiError("invalid_state", message, { param: "item_id" });
}

async function textOf(inferences: Needs["inferences"], { text, origin, project_id }: LabelItemRecord) {
  if (origin.type !== "inference") return text;
  const inference = await inferences.get(project_id, origin.inference_id);
  return (inference && lessonOf(inference.endpoint, await inferences.read(inference))?.text) ?? null;
}

export async function shownItem(
  inferences: Needs["inferences"],
  item: LabelItemRecord,
  known?: string,
): Promise<LabelItem> {
  const { project_id, subjects, overlap, leases, revision, answers, ...fields } = item;
  return {
    ...fields,
    object: "label_queue.item",
    text: known ?? (await textOf(inferences, item)),
    answers: Object.keys(answers)
      .sort()
      .map((labeller) => shownLabel(item, labeller, answers[labeller]!)),
  };
}

function shownLabel({ id: item_id, queue_id }: LabelItemRecord, labeller: string, answer: Answer): Label {
  return { ...answer, object: "label", item_id, queue_id, labeller };
}
