/** Everything the routes may ask for, put together from stores, queue and model host. */

import { balanceOf, leftOf } from "../../shared/budget/balance.ts";
import { createVerdicts, type Verdicts } from "../../shared/budget/verdicts.ts";
import { createWaitingLine } from "../../shared/budget/waiting.ts";
import { guardHost } from "../../shared/encryption/guardedHost.ts";
import { createNamedModels } from "../../shared/evals/namedModels.ts";
import { createFunctionRouting } from "../../shared/inference/functionRouting.ts";
import { createMeter, type Meter } from "../../shared/inference/metered.ts";
import { createModelLookUp, type ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import { createRecentModels } from "../../shared/inference/recentModels.ts";
import { limitModels } from "../../shared/limits/limitedRouting.ts";
import { createLimiter, type Limiter } from "../../shared/limits/limiter.ts";
import { settleTokens } from "../../shared/limits/settled.ts";
import { type Prices, usualPrices } from "../../shared/pricing/prices.ts";
import type { Queue } from "../../shared/queue.ts";
import { type Limits, projectLimits } from "../../shared/schemas/rateLimit.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Observe } from "../requestEvents.ts";
import { type AliasService, createAliasService } from "./aliases.ts";
import { type AuditService, createAuditService } from "./audits.ts";
import { type BatchService, createBatchService } from "./batches.ts";
import { type BudgetService, createBudgetService } from "./budgets.ts";
import { createDatasetService, type DatasetService } from "./datasets.ts";
import { createDelivery } from "./delivery.ts";
import { createDriftService, type DriftService } from "./drift.ts";
import { createEncryptionKeyService, type EncryptionKeyService } from "./encryptionKeys.ts";
import { createEvalComparisonService, type EvalComparisonService } from "./evalComparison.ts";
import { createEvalRunService, type EvalRunService } from "./evalRuns.ts";
import { createEvalService, type EvalService } from "./evals.ts";
import { createExperimentService, type ExperimentService } from "./experiments.ts";
import { createFeedbackService, type FeedbackService } from "./feedback.ts";
import { createFileService, type FileService } from "./files.ts";
import { createFineTuningService, type FineTuningService } from "./fineTuningJobs.ts";
import { createFunctionService, type FunctionService } from "./functions.ts";
import { createGraderService, type GraderService } from "./graders.ts";
import { createInferenceService, type InferenceService, type QueueOptions } from "./inference.ts";
import { createInferenceImportService, type InferenceImportService } from "./inferenceImport.ts";
import { createInferenceRecordService, type InferenceRecordService } from "./inferenceRecords.ts";
import { createJobCreation } from "./jobCreation.ts";
import { createJobQuotes } from "./jobQuotes.ts";
import { createKeyService, type KeyService } from "./keys.ts";
import { createLabelDoctorService, type LabelDoctorService } from "./labelDoctor.ts";
import { createLabelQueueService, type LabelQueueService } from "./labelQueues.ts";
import { createLabelService, type LabelService } from "./labels.ts";
import { createMetricService, type MetricService } from "./metrics.ts";
import { createModelService, type ModelService } from "./models.ts";
import { type AdminKeyService, createAdminKeyService } from "./organizationAdminKeys.ts";
import { createOrganizationKeyService, type OrganizationKeyService } from "./organizationKeys.ts";
import { createMemberService, createUserService, type MemberService, type UserService } from "./organizationUsers.ts";
import { createPermissionService, type PermissionService } from "./permissions.ts";
import { createPolicyService, type PolicyService } from "./policies.ts";
import { createPrefetch } from "./prefetch.ts";
import { createProjectService, type ProjectService } from "./projects.ts";
import { createPromotionService, type PromotionService } from "./promotions.ts";
import { createQueuedAnswers } from "./queuedAnswers.ts";
import { createLimitLookUp, createRateLimitService, type RateLimitService } from "./rateLimits.ts";
import { createRequestClaims, type RequestClaims } from "./requestClaims.ts";
import { createRetentionService, type RetentionService } from "./retention.ts";
import { createStoredCompletionService, type StoredCompletionService } from "./storedCompletions.ts";
import { createUploadService, type UploadService } from "./uploads.ts";
import { createUsageService, type UsageService } from "./usage.ts";
import { createWebhookDeliveryService, type WebhookDeliveryService } from "./webhookDeliveries.ts";
import { createWebhookEndpointService, type WebhookEndpointService, type WebhookSettings } from "./webhookEndpoints.ts";

export interface Services {
  keys: KeyService;
  projects: ProjectService;
  organizationKeys: OrganizationKeyService;
  adminKeys: AdminKeyService;
  audits: AuditService;
  encryptionKeys: EncryptionKeyService;
  retention: RetentionService;
  permissions: PermissionService;
  users: UserService;
  members: MemberService;
  files: FileService;
  uploads: UploadService;
  fineTuning: FineTuningService;
  batches: BatchService;
  models: ModelService;
  aliases: AliasService;
  functions: FunctionService;
  experiments: ExperimentService;
  policies: PolicyService;
  promotions: PromotionService;
  datasets: DatasetService;
  drift: DriftService;
  labelQueues: LabelQueueService;
  labels: LabelService;
  labelDoctor: LabelDoctorService;
  inference: InferenceService;
  storedCompletions: StoredCompletionService;
  inferences: InferenceRecordService;
  inferenceImport: InferenceImportService;
  evals: EvalService;
  evalRuns: EvalRunService;
  evalComparisons: EvalComparisonService;
  graders: GraderService;
  metrics: MetricService;
  feedback: FeedbackService;
  webhooks: WebhookEndpointService;
  webhookDeliveries: WebhookDeliveryService;
  usage: UsageService;
  budgets: BudgetService;
  /** Whether projects have spent what they may. */
  verdicts: Pick<Verdicts, "isExhausted">;
  limiter: Limiter;
  rateLimits: RateLimitService;
  claims: RequestClaims;
  observe: Observe;
}

export interface Dependencies extends QueueOptions {
  stores: Stores;
  queue: Pick<Queue, "send" | "lineOf">;
  host: ModelHost;
  observe: Observe;
  maxUploadBytes: number;
  moderationModel?: string | undefined;
  webhooks: WebhookSettings;
  /** Of projects where an admin said nothing else. */
  limits?: Limits;
  /** Absent: those that come with Millrace. */
  prices?: Prices;
}

export function createServices(dependencies: Dependencies): Services {
  const { stores, queue, observe } = dependencies;
  const { maxUploadBytes, moderationModel, prices = usualPrices, limits = projectLimits } = dependencies;
  const host = guardHost(dependencies.host, stores.sealing);
  const delivery = createDelivery("fine_tuning_job", queue, observe);
  const line = createWaitingLine(stores, queue);
  const creation = createJobCreation({ stores, quotes: createJobQuotes(stores, line, prices), delivery, prices });
  const verdicts = createVerdicts(async (project) => {
    const balance = await balanceOf(stores, project);
    return balance !== undefined && leftOf(balance) <= 0;
  });
  const claims = createRequestClaims(stores.claims);
  const lookUp = createLimitLookUp(stores, limits);
  const limiter = createLimiter(stores.buckets);
  const keys = createKeyService(stores, lookUp);
  const projects = createProjectService(stores, keys);
  const models = createModelLookUp(stores);
  const recent = createRecentModels(stores);
  const routing = createFunctionRouting(stores);
  const inferenceModels = createModelLookUp(recent);
  const modelList = createModelService(stores, models, recent);
  const prefetch = createPrefetch(stores.models, host);
  const feedback = createFeedbackService(stores);
  const queued = createQueuedAnswers(stores, claims, createDelivery("answer", queue, observe));
  const datasets = createDatasetService(stores, createDelivery("dataset_version", queue, observe));
  const policies = createPolicyService(stores, models);
  const meter = settleTokens(createMeter(stores.usage, prices), limiter);
  return {
    keys,
    projects,
    organizationKeys: createOrganizationKeyService(stores, projects, keys),
    adminKeys: createAdminKeyService(stores, keys),
    audits: createAuditService(stores),
    encryptionKeys: createEncryptionKeyService(stores.sealing),
    retention: createRetentionService(stores, projects),
    users: createUserService(stores, keys),
    members: createMemberService(stores, projects, keys),
    permissions: createPermissionService(stores, projects, recent),
    files: createFileService(stores, maxUploadBytes, lookUp),
    uploads: createUploadService(stores, maxUploadBytes, lookUp),
    fineTuning: createFineTuningService(stores, creation, delivery, prefetch, line),
    batches: createBatchService(stores, createDelivery("batch", queue, observe), prices),
    models: modelList,
    aliases: createAliasService(stores, models, recent),
    functions: createFunctionService(stores.functions, models, routing),
    experiments: createExperimentService(stores, models, routing),
    policies,
    promotions: createPromotionService(stores, {
      ...{ policies, models, routing, delivery: createDelivery("promotion", queue, observe) },
    }),
    datasets,
    drift: createDriftService(stores, models, host, meter),
    labelQueues: createLabelQueueService(stores, models, createDelivery("label_queue", queue, observe)),
    labels: createLabelService(stores),
    labelDoctor: createLabelDoctorService(stores, datasets, createDelivery("label_doctor", queue, observe)),
    inference: createInferenceService(
      { models: inferenceModels, host, moderationModel },
      stores,
      limitModels(routing, { limitsOf: lookUp.ofModels, models: inferenceModels, limiter }),
      queued,
      { ...dependencies, meter },
    ),
    storedCompletions: createStoredCompletionService(stores.inferences, feedback),
    inferences: createInferenceRecordService(stores, feedback),
    inferenceImport: createInferenceImportService(stores.inferences),
    ...createEvalServices(dependencies, { models, host }, { prices, meter }),
    metrics: createMetricService(stores.metrics),
    feedback,
    webhooks: createWebhookEndpointService(stores, dependencies.webhooks),
    webhookDeliveries: createWebhookDeliveryService(stores),
    usage: createUsageService(stores, prices.currency),
    budgets: createBudgetService(stores, projects, verdicts, prices.currency),
    verdicts,
    limiter,
    rateLimits: createRateLimitService(stores, { projects, models, modelList, usual: limits, lookUp }),
    claims,
    observe,
  };
}

function createEvalServices(
  { stores, queue, observe, heavyBytes }: Dependencies,
  context: { models: ModelLookUp; host: ModelHost },
  { prices, meter }: { prices: Prices; meter: Meter },
) {
  const named = createNamedModels(context.models, stores.functions);
  const delivery = createDelivery("eval_run", queue, observe);
  const evals = createEvalService(stores, delivery);
  const evalRuns = createEvalRunService({ stores, evals, named, delivery, prices });
  const evalComparisons = createEvalComparisonService(stores.evalRuns, evals, evalRuns);
  return { evals, evalRuns, evalComparisons, graders: createGraderService({ context, named, heavyBytes, meter }) };
}
