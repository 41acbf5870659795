/** All stores over one table and one bucket. */
import type { AwsClients } from "../aws.ts";
import { sealObjects } from "../encryption/sealedObjects.ts";
import { sealTable } from "../encryption/sealedTable.ts";
import { createSealing, type Sealing, type SealingOptions } from "../encryption/sealing.ts";
import { type AdminKeys, createAdminKeys } from "./adminKeys.ts";
import { type Aliases, createAliases } from "./aliases.ts";
import { type Answers, createAnswers } from "./answers.ts";
import { type ApiKeys, createApiKeys } from "./apiKeys.ts";
import { type AuditLogs, createAuditLogs } from "./auditLogs.ts";
import { type Bases, createBases } from "./bases.ts";
import { type Batches, createBatches } from "./batches.ts";
import { type Buckets, createBuckets } from "./buckets.ts";
import { type Budgets, createBudgets } from "./budgets.ts";
import { type Checkpoints, createCheckpoints } from "./checkpoints.ts";
import { type Claims, createClaims } from "./claims.ts";
import { createDatasets, type Datasets } from "./datasets.ts";
import { createEncryptionKeys } from "./encryptionKeys.ts";
import { createEpisodes, type Episodes } from "./episodes.ts";
import { createErasures, type Erasures } from "./erasures.ts";
import { createEvalRuns, type EvalRuns } from "./evalRuns.ts";
import { createEvals, type Evals } from "./evals.ts";
import { createEvents, type Events } from "./events.ts";
import { createExperiments, type Experiments } from "./experiments.ts";
import { createExposures, type Exposures } from "./exposures.ts";
import { createFeedback, type FeedbackStore } from "./feedback.ts";
import { createFiles, type Files } from "./files.ts";
import { createFunctions, type Functions } from "./functions.ts";
import { createInferences, type Inferences } from "./inferences.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import { createLabelItems, type LabelItems } from "./labelItems.ts";
import { createLabelDoctors, createLabelQueues, type LabelDoctors, type LabelQueues } from "./labelQueues.ts";
import { createLeftovers, type Leftovers } from "./leftovers.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createModels, type Models } from "./models.ts";
import { createObjects, type Objects } from "./objects.ts";
import { createOrganizations, type Organizations } from "./organizations.ts";
import { createPermissions, type Permissions } from "./permissions.ts";
import { createPolicies, type Policies } from "./policies.ts";
import { createProjects, type Projects } from "./projects.ts";
import { createPromotions, type Promotions } from "./promotions.ts";
import { createRateLimits, type RateLimits } from "./rateLimits.ts";
import { createRetained, type Retained } from "./retained.ts";
import { createRetentions, type Retentions } from "./retentions.ts";
import { createStoredBytes, type StoredBytes } from "./storedBytes.ts";
import { createTable } from "./table.ts";
import { createLinkedParts, createUploads, type LinkedParts, type Uploads } from "./uploads.ts";
import { createUsage, type UsageStore } from "./usage.ts";
import { createMembers, createUsers, type Members, type Users } from "./users.ts";
import { createWebhookDeliveries, type WebhookDeliveries } from "./webhookDeliveries.ts";
import { createWebhookEndpoints, type WebhookEndpoints } from "./webhookEndpoints.ts";
import { createWebhookEvents, type WebhookEvents } from "./webhookEvents.ts";
import { createWorkload, type Workload } from "./workload.ts";

export interface Stores {
  organizations: Organizations;
  projects: Projects;
  /** Undefined: what is stored is not sealed. */
  sealing: Sealing | undefined;
  apiKeys: ApiKeys;
  adminKeys: AdminKeys;
  auditLogs: AuditLogs;
  permissions: Permissions;
  users: Users;
  members: Members;
  files: Files;
  uploads: Uploads;
  linkedParts: LinkedParts;
  jobs: Jobs;
  batches: Batches;
  answers: Answers;
  inferences: Inferences;
  episodes: Episodes;
  metrics: Metrics;
  feedback: FeedbackStore;
  leftovers: Leftovers;
  retentions: Retentions;
  retained: Retained;
  erasures: Erasures;
  events: Events;
  checkpoints: Checkpoints;
  models: Models;
  datasets: Datasets;
  labelQueues: LabelQueues;
  labelItems: LabelItems;
  labelDoctors: LabelDoctors;
  aliases: Aliases;
  evals: Evals;
  evalRuns: EvalRuns;
  functions: Functions;
  policies: Policies;
  promotions: Promotions;
  experiments: Experiments;
  exposures: Exposures;
  bases: Bases;
  objects: Objects;
  claims: Claims;
  webhookEvents: WebhookEvents;
  webhookEndpoints: WebhookEndpoints;
  webhookDeliveries: WebhookDeliveries;
  usage: UsageStore;
  budgets: Budgets;
  rateLimits: RateLimits;
  buckets: Buckets;
  storedBytes: StoredBytes;
  workload: Workload;
}

export interface StoreNames {
  table: string;
  bucket: string;
  /** Undefined: nothing is sealed. */
  encryption?: SealingOptions | undefined;
}

export function createStores(aws: AwsClients, { table: name, bucket, encryption }: StoreNames): Stores {
  const plainTable = createTable(aws.dynamodb, name);
  const projects = createProjects(plainTable);
  const encryptionKeys = createEncryptionKeys(plainTable);
  const sealing = encryption && createSealing(encryption, { encryptionKeys, projects });
  const table = sealing ? sealTable(plainTable, sealing) : plainTable;
  const plain = createObjects(aws.s3, bucket);
  const objects = sealing ? sealObjects(plain, sealing) : plain;
  const episodes = createEpisodes(table);
  // Each is there when the other calls it.
  const clear: Leftovers["clear"] = (leftover) => leftovers.clear(leftover);
  const inferences = createInferences(table, objects, { episodes, clear });
  const feedback = createFeedback(table, objects, { inference: inferences, episode: episodes });
  const leftovers = createLeftovers(table, objects, feedback);
  return {
    organizations: createOrganizations(table),
    projects,
    sealing,
    apiKeys: createApiKeys(table),
    adminKeys: createAdminKeys(table),
    auditLogs: createAuditLogs(table),
    permissions: createPermissions(table),
    users: createUsers(table),
    members: createMembers(table),
    files: createFiles(table),
    uploads: createUploads(table),
    linkedParts: createLinkedParts(aws.s3, bucket),
    jobs: createJobs(table),
    batches: createBatches(table),
    answers: createAnswers(table),
    inferences,
    episodes,
    metrics: createMetrics(table),
    feedback,
    leftovers,
    retentions: createRetentions(table),
    retained: createRetained(table, clear),
    erasures: createErasures(aws.dynamodb, table, name),
    events: createEvents(table),
    checkpoints: createCheckpoints(table),
    models: createModels(table),
    datasets: createDatasets(table),
    labelQueues: createLabelQueues(table),
    labelItems: createLabelItems(table),
    labelDoctors: createLabelDoctors(table),
    aliases: createAliases(table),
    evals: createEvals(table),
    evalRuns: createEvalRuns(table, objects),
    functions: createFunctions(table),
    policies: createPolicies(table),
    promotions: createPromotions(table),
    experiments: createExperiments(table),
    exposures: createExposures(table),
    bases: createBases(table),
    objects,
    claims: createClaims(table),
    webhookEvents: createWebhookEvents(table),
    webhookEndpoints: createWebhookEndpoints(table),
    webhookDeliveries: createWebhookDeliveries(table),
    usage: createUsage(table),
    budgets: createBudgets(table),
    rateLimits: createRateLimits(table),
    buckets: createBuckets(aws.dynamodb, name),
    storedBytes: createStoredBytes(table),
    workload: createWorkload(aws.dynamodb, name),
  };
}
