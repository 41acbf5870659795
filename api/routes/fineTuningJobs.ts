/** `/v1/fine_tuning/jobs` */
import { createRoute, z } from "@hono/zod-openapi";
import { JobQuote } from "../../shared/schemas/budget.ts";
import { Checkpoint } from "../../shared/schemas/checkpoint.ts";
import { CreateFineTuningJob, FineTuningJob } from "../../shared/schemas/fineTuningJob.ts";
import { JobEvent } from "../../shared/schemas/jobEvent.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { FineTuningService } from "../services/fineTuningJobs.ts";
import type { Change } from "../services/jobChanges.ts";
import {
  conflict,
  failures,
  idParams,
  json,
  jsonBody,
  paging,
  quotaExceeded,
  tooLarge,
  wrongMediaType,
} from "./contract.ts";
import { metadataFilter, metadataParameter } from "./metadataFilter.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Fine-tuning"];
const params = idParams("Id of the job, `ftjob-…`.");
const JobList = listOf(FineTuningJob, "FineTuningJobList");
const EventList = listOf(JobEvent, "FineTuningJobEventList");
const CheckpointList = listOf(Checkpoint, "FineTuningJobCheckpointList");

const create = createRoute({
  method: "post",
  path: "/v1/fine_tuning/jobs",
  tags,
  summary: "Create a fine-tuning job",
  request: { body: jsonBody(CreateFineTuningJob) },
  responses: {
    200: json(
      z.union([FineTuningJob, JobQuote]),
      "The job, not yet begun; with `validate_only` what it would find, take and cost.",
    ),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...quotaExceeded,
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/fine_tuning/jobs",
  tags,
  summary: "List fine-tuning jobs, newest first",
  request: { query: paging("job", { maximum: 100, usual: 20 }).extend({ metadata: metadataParameter }) },
  responses: { 200: json(JobList, "A page of jobs."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/fine_tuning/jobs/{id}",
  tags,
  summary: "Retrieve a fine-tuning job",
  request: { params },
  responses: { 200: json(FineTuningJob, "The job."), ...failures },
});

const changeRoute = <Name extends Change>(change: Name, summary: string) =>
  createRoute({
    method: "post",
    path: `/v1/fine_tuning/jobs/{id}/${change}` as const,
    tags,
    summary,
    request: { params },
    responses: { 200: json(FineTuningJob, "The job in its new state."), ...failures, ...conflict },
  });
const cancel = changeRoute("cancel", "Cancel a fine-tuning job for good");
const pause = changeRoute("pause", "Pause a fine-tuning job, keeping what it has learnt");
const resume = changeRoute("resume", "Resume a paused fine-tuning job");

const events = createRoute({
  method: "get",
  path: "/v1/fine_tuning/jobs/{id}/events",
  tags,
  summary: "List a job's events, newest first",
  request: { params, query: paging("event", { maximum: 100, usual: 20 }) },
  responses: { 200: json(EventList, "A page of events."), ...failures },
});

const checkpoints = createRoute({
  method: "get",
  path: "/v1/fine_tuning/jobs/{id}/checkpoints",
  tags,
  summary: "List a job's checkpoints, newest first",
  request: { params, query: paging("checkpoint", { maximum: 100, usual: 10 }) },
  responses: { 200: json(CheckpointList, "A page of checkpoints."), ...failures },
});

export function fineTuningRoutes(jobs: FineTuningService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const { validate_only, ...request } = c.req.valid("json");
      if (validate_only) return c.json(JobQuote.parse(await jobs.quote(c.var.project, request)), 200);
      return c.json(FineTuningJob.parse(await jobs.create(c.var.project, request, attemptIn(c))), 200);
    })
    .openapi(list, async (c) => {
      const query = { ...c.req.valid("query"), metadata: metadataFilter(c.req.query()) };
      return c.json(JobList.parse(await jobs.list(c.var.project, query)), 200);
    })
    .openapi(retrieve, async (c) =>
      c.json(FineTuningJob.parse(await jobs.get(c.var.project, c.req.valid("param").id)), 200),
    )
    .openapi(cancel, async (c) =>
      c.json(FineTuningJob.parse(await jobs.change(c.var.project, c.req.valid("param").id, "cancel")), 200),
    )
    .openapi(pause, async (c) =>
      c.json(FineTuningJob.parse(await jobs.change(c.var.project, c.req.valid("param").id, "pause")), 200),
    )
    .openapi(resume, async (c) =>
      c.json(FineTuningJob.parse(await jobs.change(c.var.project, c.req.valid("param").id, "resume")), 200),
    )
    .openapi(events, async (c) => {
      const page = await jobs.events(c.var.project, c.req.valid("param").id, c.req.valid("query"));
      return c.json(EventList.parse(page), 200);
    })
    .openapi(checkpoints, async (c) => {
      const page = await jobs.checkpoints(c.var.project, c.req.valid("param").id, c.req.valid("query"));
      return c.json(CheckpointList.parse(page), 200);
    });
}
