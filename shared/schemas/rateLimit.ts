/** What a project or a key may use: requests, tokens, jobs, stored bytes. */
import { z } from "@hono/zod-openapi";

/** Of all models of a project together. */
export const rateLimitId = "rl-project";
const modelPrefix = "rl-model-";

/** Of one model. */
export const modelLimitId = (model: string): string => `${modelPrefix}${model}`;
/** Undefined where it is the id of no model's limit. */
export const modelOfLimit = (id: string): string | undefined =>
  id.startsWith(modelPrefix) ? id.slice(modelPrefix.length) : undefined;

/** As deployed: what holds where a project's own row says nothing. */
export interface Limits {
  max_requests_per_1_minute: number;
  max_tokens_per_1_minute: number;
  max_fine_tuning_jobs_per_1_day: number;
  max_stored_bytes: number;
}

/** Generous: they keep one project from starving the others, and are not a price. */
export const projectLimits: Limits = {
  max_requests_per_1_minute: 300_000,
  max_tokens_per_1_minute: 50_000_000,
  max_fine_tuning_jobs_per_1_day: 10_000,
  max_stored_bytes: 1024 ** 4,
};

const many = 1_000_000_000;
const bytes = Number.MAX_SAFE_INTEGER;
const amount = (maximum: number) => z.int().min(1).max(maximum);

const ofProject = "Only of the project";
const descriptions = {
  max_requests_per_1_minute:
    "Requests that a minute has room for: of the project's keys, of any kind; or calls of the model.",
  max_tokens_per_1_minute: "Tokens that may be read and written in a minute: by all models together; or by the model.",
  max_fine_tuning_jobs_per_1_day: `${ofProject}, and Millrace's own: fine-tuning jobs that may be created in a day.`,
  max_stored_bytes: `${ofProject}, and Millrace's own: bytes that its files may have, results of jobs and batches included.`,
} as const satisfies Record<keyof Limits, string>;

export const ProjectRateLimit = z
  .object({
    id: z.string().openapi({ description: `\`${rateLimitId}\` of the project; \`${modelPrefix}<model>\` of a model.` }),
    object: z.literal("project.rate_limit").openapi({ description: "Always `project.rate_limit`." }),
    model: z
      .string()
      .openapi({ description: "Id of the model, which has the project's limits where it has none; `*`: the project." }),
    max_requests_per_1_minute: amount(many).openapi({ description: descriptions.max_requests_per_1_minute }),
    max_tokens_per_1_minute: amount(many).openapi({ description: descriptions.max_tokens_per_1_minute }),
    max_fine_tuning_jobs_per_1_day: amount(many)
      .optional()
      .openapi({ description: descriptions.max_fine_tuning_jobs_per_1_day }),
    max_stored_bytes: amount(bytes).optional().openapi({ description: descriptions.max_stored_bytes }),
  })
  .openapi("ProjectRateLimit");
export type ProjectRateLimit = z.infer<typeof ProjectRateLimit>;

/** Examples as large as anybody wants them: who tries the reference should not lock themselves out. */
const change = (name: keyof Limits, maximum: number) =>
  amount(maximum)
    .nullish()
    .openapi({
      description: `${descriptions[name]} Null: as the deployment has it, of a model as the project has it; absent: as it is.`,
      example: maximum,
    });

export const UpdateProjectRateLimit = z
  .strictObject({
    max_requests_per_1_minute: change("max_requests_per_1_minute", many),
    max_tokens_per_1_minute: change("max_tokens_per_1_minute", many),
    max_fine_tuning_jobs_per_1_day: change("max_fine_tuning_jobs_per_1_day", many),
    max_stored_bytes: change("max_stored_bytes", bytes),
  })
  .openapi("UpdateProjectRateLimit");
export type UpdateProjectRateLimit = z.infer<typeof UpdateProjectRateLimit>;

const own = amount(many).optional();
/** What differs from the deployment's. */
export const RateLimitRecord = z.object({
  max_requests_per_1_minute: own,
  max_tokens_per_1_minute: own,
  max_fine_tuning_jobs_per_1_day: own,
  max_stored_bytes: amount(bytes).optional(),
});
export type RateLimitRecord = z.infer<typeof RateLimitRecord>;

/** Of a key, or of a model, within its project's; absent: none of its own. */
export const KeyLimits = z.object({ max_requests_per_1_minute: own, max_tokens_per_1_minute: own });
export type KeyLimits = z.infer<typeof KeyLimits>;
/** By model. */
export type ModelLimits = ReadonlyMap<string, KeyLimits>;

const keyLimit = (what: string) => ({
  shown: amount(many)
    .nullable()
    .openapi({ description: `${what}, within the project's limit; null: no less.` }),
  asked: amount(many)
    .nullish()
    .openapi({ description: `${what}, within the project's limit; null: no less.`, example: many }),
});
const keyRequests = keyLimit("Millrace's own: requests a minute with this key alone");
const keyTokens = keyLimit("Millrace's own: tokens a minute with this key alone");

/** Fields of a key in the Admin API. */
export const shownKeyLimits = {
  max_requests_per_1_minute: keyRequests.shown,
  max_tokens_per_1_minute: keyTokens.shown,
};
export const askedKeyLimits = {
  max_requests_per_1_minute: keyRequests.asked,
  max_tokens_per_1_minute: keyTokens.asked,
};
