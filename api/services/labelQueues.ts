/** Label queues as a client sees them: asked for, looked at, and how far their labellers agree. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { asEmbedder } from "../../shared/inference/embedder.ts";
import { isFineTuned, type ModelLookUp, withoutLabels } from "../../shared/inference/modelLookUp.ts";
import { asTextReader } from "../../shared/inference/rows.ts";
import { agreementOf } from "../../shared/labels/verdict.ts";
import { unbuilt } from "../../shared/schemas/built.ts";
import type { LabelItem } from "../../shared/schemas/label.ts";
import type {
  CreateLabelQueue,
  LabelAgreement,
  LabelQueueRecord,
  LabelRows,
  LabelStrategy,
} from "../../shared/schemas/labelQueue.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import type { Paging } from "./fineTuningJobs.ts";
import { shownItem } from "./labels.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface LabelQueueService {
  create(project: Project, request: CreateLabelQueue, attempt: Attempt): Promise<LabelQueueRecord>;
  /** Newest first. */
  list(project: Project, paging: Paging): Promise<Page<LabelQueueRecord>>;
  get(project: Project, id: string): Promise<LabelQueueRecord>;
  /** By place, with what labellers said. */
  items(project: Project, id: string, paging: Paging): Promise<Page<LabelItem>>;
  agreement(project: Project, id: string): Promise<LabelAgreement>;
}

const usualSize = 100;

export function createLabelQueueService(
  stores: Pick<Stores, "labelQueues" | "labelItems" | "datasets" | "inferences">,
  models: Pick<ModelLookUp, "callable">,
  delivery: Delivery,
): LabelQueueService {
  const { labelQueues, labelItems } = stores;
  const get: LabelQueueService["get"] = async (project, id) => {
    const found = await labelQueues.get(project.id, id);
    if (!found) throw notFound("label queue", id);
    return found;
  };
  const checks = sourceChecks(stores);
  return {
    get,
    async create(project, request, attempt) {
      const { source, strategy, model, labels = null, size = usualSize, overlap = 1 } = request;
      if (source.type === "labels" && strategy !== "disagreement") {
        throw new ApiError("invalid_value", "Rows of another queue are chosen by 'disagreement' alone.", {
          param: "strategy",
        });
      }
      await checks[source.type](project, source as never, strategy, model);
      const record: LabelQueueRecord = {
        id: idFor("label_queue", attempt),
        object: "label_queue",
        ...unbuilt(project.id),
        ...{ source, strategy, labels, size, overlap },
        model: model === undefined ? null : await checkedModel(models, project, strategy, model),
        ...{ candidates: null, items: null, closed_below: 0 },
      };
      if (!(await labelQueues.create(record))) return get(project, record.id);
      await delivery.send(record);
      return record;
    },
    async list(project, { limit, after }) {
      const options = { limit: limit + 1, descending: true, ...(after !== undefined && { after }) };
      return toPage(await labelQueues.list(project.id, options), limit);
    },
    async items(project, id, { limit, after }) {
      const queue = await get(project, id);
      const page = toPage(await labelItems.list(queue, { limit: limit + 1, after }), limit);
      return { ...page, data: await Promise.all(page.data.map((item) => shownItem(stores.inferences, item))) };
    },
    async agreement(project, id) {
      const queue = await get(project, id);
      return agreementOf(queue.id, await labelItems.list(queue, { limit: queue.items ?? 0 }));
    },
  };
}

/** The model's own id. Throws ApiError naming `model` where it cannot do what the strategy asks of it. */
async function checkedModel(
  models: Pick<ModelLookUp, "callable">,
  project: Project,
  strategy: LabelStrategy,
  name: string,
): Promise<string> {
  if (strategy === "suspected_error") {
    throw new ApiError("invalid_value", "'suspected_error' goes by the rows alone: leave 'model' out.", {
      param: "model",
    });
  }
  const model = await models.callable(project, name);
  if (strategy === "diversity") return asEmbedder(model).id;
  if (!isFineTuned(model)) throw withoutLabels(model);
  return asTextReader(model).id;
}

type Checks = {
  [Type in LabelRows["type"]]: (
    project: Project,
    source: LabelRows & { type: Type },
    strategy: LabelStrategy,
    model: string | undefined,
  ) => Promise<void>;
};

/** What must be there of a source before a queue is asked for; each throws ApiError naming what is not. */
function sourceChecks({ datasets, labelQueues }: Pick<Stores, "datasets" | "labelQueues">): Checks {
  const refuse = (message: string, param: string) => new ApiError("invalid_value", message, { param });
  return {
    async inferences() {},
    async dataset(project, { dataset, version }, strategy, model) {
      const found = await datasets.version(project.id, dataset, version);
      if (found?.status !== "ready") {
        throw refuse(`Version ${version} of dataset '${dataset}' is ${found?.status ?? "not there"}.`, "source");
      }
      if (strategy !== "disagreement" || model !== undefined) return;
      throw refuse("Of a dataset's rows 'disagreement' is with a model: name one in 'model'.", "model");
    },
    async labels(project, { queue_id }, _strategy, model) {
      if (model !== undefined) throw refuse("Labellers disagree with each other: leave 'model' out.", "model");
      const found = await labelQueues.get(project.id, queue_id);
      if (found?.status !== "ready") {
        throw refuse(`The label queue '${queue_id}' is ${found?.status ?? "not there"}.`, "source.queue_id");
      }
    },
  };
}
