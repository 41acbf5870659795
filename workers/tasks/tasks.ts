/** Every task by the kind of message it answers. */
import type { Tasks } from "../task.ts";
import { answerTask } from "./answer/task.ts";
import { batchTask } from "./batch/task.ts";
import type { WorkerContext } from "./context.ts";
import { datasetTask } from "./dataset/task.ts";
import { labelDoctorTask } from "./doctor/task.ts";
import { evalRunTask } from "./eval/task.ts";
import { experimentTask } from "./experiment/task.ts";
import { fineTuningTask } from "./fineTuning/task.ts";
import { labelQueueTask } from "./label/task.ts";
import { policyTask } from "./promotion/policyTask.ts";
import { promotionTask } from "./promotion/task.ts";
import { webhookEndpointTask } from "./webhook/endpointTask.ts";
import { webhookEventTask } from "./webhook/eventTask.ts";

export function createTasks(context: WorkerContext): Tasks {
  return {
    fine_tuning_job: fineTuningTask(context),
    batch: batchTask(context),
    answer: answerTask(context),
    dataset_version: datasetTask(context),
    eval_run: evalRunTask(context),
    label_queue: labelQueueTask(context),
    label_doctor: labelDoctorTask(context),
    experiment: experimentTask(context),
    policy: policyTask(context),
    promotion: promotionTask(context),
    webhook_event: webhookEventTask(context),
    webhook_endpoint: webhookEndpointTask(context),
  };
}
