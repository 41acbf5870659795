/** `/v1/experiments` */
import { createRoute, z } from "@hono/zod-openapi";
import { CreateExperiment, EndExperiment, Experiment, RampExperiment } from "../../shared/schemas/experiment.ts";
import { ExperimentResults } from "../../shared/schemas/experimentResults.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { ExperimentService } from "../services/experiments.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Experiments"];
const params = idParams("`exp_…`");
const ExperimentList = listOf(Experiment, "ExperimentList");
const answer = { 200: json(Experiment, "The experiment.") };
const bodies = { ...answer, ...failures, ...conflict, ...tooLarge, ...wrongMediaType };

const create = createRoute({
  method: "post",
  path: "/v1/experiments",
  tags,
  summary: "Compare variants of a function on its own traffic",
  description:
    "From then on calls of the function are answered by the arm of whoever calls: the person whom `user` or `safety_identifier` names, else the call's episode, else the call by itself. An exposure is written once for each of them. Feedback on the metric counts for calls that are recorded, and for episodes; what is late or corrected changes results as if it had come at once.",
  request: { body: jsonBody(CreateExperiment) },
  responses: bodies,
});

const list = createRoute({
  method: "get",
  path: "/v1/experiments",
  tags,
  summary: "List experiments, newest first",
  request: {
    query: paging("experiment", { maximum: 100, usual: 20 }).extend({
      function: z.string().max(64).optional().openapi({ description: "Only those on the function of this name." }),
    }),
  },
  responses: { 200: json(ExperimentList, "A page of experiments."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/experiments/{id}",
  tags,
  summary: "Retrieve an experiment",
  request: { params },
  responses: { ...answer, ...failures },
});

const results = createRoute({
  method: "get",
  path: "/v1/experiments/{id}/results",
  tags,
  summary: "Read an experiment: effects with intervals that hold however often one looks",
  description:
    "Everything is computed anew from exposures and the feedback in force: a result may be asked for at any time, also after the end. Of several values of a unit the mean counts.",
  request: { params },
  responses: { 200: json(ExperimentResults, "What is known so far."), ...failures },
});

const pause = createRoute({
  method: "post",
  path: "/v1/experiments/{id}/pause",
  tags,
  summary: "Pause an experiment: the incumbent answers everybody",
  request: { params },
  responses: { ...answer, ...failures, ...conflict },
});

const resume = createRoute({
  method: "post",
  path: "/v1/experiments/{id}/resume",
  tags,
  summary: "Resume an experiment: whoever had an arm has it again",
  request: { params },
  responses: { ...answer, ...failures, ...conflict },
});

const ramp = createRoute({
  method: "post",
  path: "/v1/experiments/{id}/ramp",
  tags,
  summary: "Change the share of units that take part",
  request: { params, body: jsonBody(RampExperiment) },
  responses: bodies,
});

const end = createRoute({
  method: "post",
  path: "/v1/experiments/{id}/end",
  tags,
  summary: "End an experiment, and make its winner the incumbent",
  request: { params, body: jsonBody(EndExperiment) },
  responses: bodies,
});

export function experimentRoutes(experiments: ExperimentService): Router {
  return newRouter()
    .openapi(create, async (c) => c.json(Experiment.parse(await experiments.create(c.var, c.req.valid("json"))), 200))
    .openapi(list, async (c) => {
      return c.json(ExperimentList.parse(await experiments.list(c.var.project, c.req.valid("query"))), 200);
    })
    .openapi(retrieve, async (c) => {
      return c.json(Experiment.parse(await experiments.get(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(results, async (c) => {
      const read = await experiments.results(c.var.project, c.req.valid("param").id);
      return c.json(ExperimentResults.parse(read), 200);
    })
    .openapi(pause, async (c) => {
      return c.json(Experiment.parse(await experiments.pause(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(resume, async (c) => {
      return c.json(Experiment.parse(await experiments.resume(c.var.project, c.req.valid("param").id)), 200);
    })
    .openapi(ramp, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(Experiment.parse(await experiments.ramp(c.var.project, id, c.req.valid("json"))), 200);
    })
    .openapi(end, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(Experiment.parse(await experiments.end(c.var, id, c.req.valid("json"))), 200);
    });
}
