/** The API: what every request passes through, and the resources. */

import { describeApi } from "./document.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { authorize } from "./middleware/authorize.ts";
import { allowBrowsers } from "./middleware/cors.ts";
import { onError } from "./middleware/errors.ts";
import { guardAnswers } from "./middleware/headers.ts";
import { replayRepeated } from "./middleware/idempotency.ts";
import { readJsonBody } from "./middleware/jsonBody.ts";
import { limitJobs, limitRequests } from "./middleware/limits.ts";
import { notFoundHandler } from "./middleware/notFound.ts";
import { requestId } from "./middleware/requestId.ts";
import { refuseExhausted } from "./middleware/spendLimit.ts";
import { traceRequests } from "./middleware/trace.ts";
import { newRouter, type Router } from "./router.ts";
import { aliasRoutes } from "./routes/aliases.ts";
import { answerRoutes } from "./routes/answers.ts";
import { batchRoutes } from "./routes/batches.ts";
import { chatCompletionRoutes } from "./routes/chatCompletions.ts";
import { completionRoutes } from "./routes/completions.ts";
import { datasetRoutes } from "./routes/datasets.ts";
import { decisionRoutes } from "./routes/decisions.ts";
import { driftRoutes } from "./routes/drift.ts";
import { embeddingRoutes } from "./routes/embeddings.ts";
import { encryptionKeyRoutes } from "./routes/encryptionKeys.ts";
import { evalRunRoutes } from "./routes/evalRuns.ts";
import { evalRoutes } from "./routes/evals.ts";
import { experimentRoutes } from "./routes/experiments.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { fileRoutes } from "./routes/files.ts";
import { fineTuningRoutes } from "./routes/fineTuningJobs.ts";
import { functionRoutes } from "./routes/functions.ts";
import { graderRoutes } from "./routes/graders.ts";
import { healthRoutes } from "./routes/health.ts";
import { inferRoutes } from "./routes/infer.ts";
import { inferenceImportRoutes } from "./routes/inferenceImport.ts";
import { inferenceRoutes } from "./routes/inferences.ts";
import { labelDoctorRoutes } from "./routes/labelDoctor.ts";
import { labelQueueRoutes } from "./routes/labelQueues.ts";
import { labelRoutes } from "./routes/labels.ts";
import { metricRoutes } from "./routes/metrics.ts";
import { modelRoutes } from "./routes/models.ts";
import { moderationRoutes } from "./routes/moderations.ts";
import { auditLogRoutes } from "./routes/organizationAuditLogs.ts";
import { organizationBudgetRoutes } from "./routes/organizationBudgets.ts";
import { organizationKeyRoutes } from "./routes/organizationKeys.ts";
import { memberRoutes } from "./routes/organizationMembers.ts";
import { rateLimitRoutes } from "./routes/organizationRateLimits.ts";
import { userRoutes } from "./routes/organizationUsers.ts";
import { permissionRoutes } from "./routes/permissions.ts";
import { projectRoutes } from "./routes/projects.ts";
import { promotionRoutes } from "./routes/promotions.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { responseRoutes } from "./routes/responses.ts";
import { retentionRoutes } from "./routes/retention.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { usageRoutes } from "./routes/usage.ts";
import { webhookRoutes } from "./routes/webhookEndpoints.ts";
import type { Services } from "./services/services.ts";

/** How browsers are dealt with. */
export interface Doors {
  /** Origins whose pages may call; "*" is all. */
  corsOrigins: readonly string[];
  hstsSeconds: number;
}

export function createApp(services: Services, doors: Doors = { corsOrigins: ["*"], hstsSeconds: 0 }): Router {
  const app = newRouter();
  app.use(traceRequests);
  app.use(requestId(services.observe));
  app.use(guardAnswers(doors.hstsSeconds));
  app.use(allowBrowsers(doors.corsOrigins));
  app.use("/v1/*", authenticate(services.keys));
  app.use("/v1/*", authorize);
  app.use("/v1/*", limitRequests(services.limiter));
  app.use("/v1/*", refuseExhausted(services.verdicts));
  app.use("/v1/*", readJsonBody);
  app.use("/v1/*", replayRepeated(services.claims));
  app.use("/v1/fine_tuning/jobs", limitJobs(services.limiter));
  app.onError(onError(services.observe));
  app.notFound(notFoundHandler(app));

  app.route("/", fileRoutes(services.files));
  app.route("/", uploadRoutes(services.uploads));
  app.route("/", fineTuningRoutes(services.fineTuning));
  app.route("/", modelRoutes(services.models));
  app.route("/", aliasRoutes(services.aliases));
  app.route("/", functionRoutes(services.functions));
  app.route("/", promotionRoutes(services.policies, services.promotions));
  app.route("/", experimentRoutes(services.experiments));
  app.route("/", datasetRoutes(services.datasets));
  app.route("/", driftRoutes(services.drift));
  app.route("/", labelDoctorRoutes(services.labelDoctor));
  app.route("/", labelQueueRoutes(services.labelQueues));
  app.route("/", labelRoutes(services.labels));
  app.route("/", inferRoutes(services.inference));
  app.route("/", decisionRoutes(services.inference));
  app.route("/", embeddingRoutes(services.inference));
  app.route("/", moderationRoutes(services.inference));
  app.route("/", chatCompletionRoutes(services));
  app.route("/", completionRoutes(services));
  app.route("/", responseRoutes(services));
  app.route("/", batchRoutes(services.batches));
  app.route("/", answerRoutes(services.inference));
  app.route("/", inferenceRoutes(services.inferences));
  app.route("/", inferenceImportRoutes(services.inferenceImport));
  app.route("/", evalRoutes(services.evals, services.evalComparisons));
  app.route("/", evalRunRoutes(services.evalRuns));
  app.route("/", graderRoutes(services.graders));
  app.route("/", metricRoutes(services.metrics));
  app.route("/", feedbackRoutes(services.feedback));
  app.route("/", webhookRoutes(services.webhooks, services.webhookDeliveries));
  app.route("/", projectRoutes(services.projects));
  app.route("/", organizationKeyRoutes(services.organizationKeys, services.adminKeys));
  app.route("/", auditLogRoutes(services.audits));
  app.route("/", encryptionKeyRoutes(services.encryptionKeys));
  app.route("/", rateLimitRoutes(services.rateLimits));
  app.route("/", retentionRoutes(services.retention));
  app.route("/", userRoutes(services.users));
  app.route("/", memberRoutes(services.members));
  app.route("/", permissionRoutes(services.permissions));
  app.route("/", usageRoutes(services.usage));
  app.route("/", organizationBudgetRoutes(services.budgets));
  app.route("/", healthRoutes());
  app.route(
    "/",
    referenceRoutes(() => describeApi(app)),
  );
  return app;
}
