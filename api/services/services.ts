/** Everything the routes may ask for, put together from stores, queue and model host. */
import { createModelLookUp } from "../../shared/inference/modelLookUp.ts";
import type { Queue } from "../../shared/queue.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Observe } from "../requestEvents.ts";
import { createFileService, type FileService } from "./files.ts";
import { createFineTuningService, type FineTuningService } from "./fineTuningJobs.ts";
import { createInferenceService, type InferenceService } from "./inference.ts";
import { createJobCreation } from "./jobCreation.ts";
import { createJobDelivery } from "./jobDelivery.ts";
import { createModelService, type ModelService } from "./models.ts";
import { createProjectService, type ProjectService } from "./projects.ts";

export interface Services {
  projects: ProjectService;
  files: FileService;
  fineTuning: FineTuningService;
  models: ModelService;
  inference: InferenceService;
  observe: Observe;
}

export interface Dependencies {
  stores: Stores;
  queue: Pick<Queue, "send">;
  host: ModelHost;
  observe: Observe;
  maxUploadBytes: number;
}

export function createServices({ stores, queue, host, observe, maxUploadBytes }: Dependencies): Services {
  const delivery = createJobDelivery(queue, observe);
  const models = createModelLookUp(stores);
  return {
    projects: createProjectService(stores.projects),
    files: createFileService(stores.files, stores.objects, maxUploadBytes),
    fineTuning: createFineTuningService(stores, createJobCreation(stores, delivery), delivery),
    models: createModelService(stores, models),
    inference: createInferenceService({ models, host }),
    observe,
  };
}
