/** `/v1/fine_tuning/alpha/graders` */
import { createRoute } from "@hono/zod-openapi";
import type { Grader } from "../../shared/schemas/evalGrader.ts";
import { GraderRun, RunGrader, ValidatedGrader, ValidateGrader } from "../../shared/schemas/graderRun.ts";
import { newRouter, type Router } from "../router.ts";
import type { GraderService } from "../services/graders.ts";
import { failures, json, jsonBody, overloaded, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Evals"];
const bodies = { ...failures, ...tooLarge, ...wrongMediaType };

const run = createRoute({
  method: "post",
  path: "/v1/fine_tuning/alpha/graders/run",
  tags,
  summary: "Try a grader on one answer",
  request: { body: jsonBody(RunGrader) },
  responses: { 200: json(GraderRun, "The score, or why there is none."), ...bodies, ...overloaded },
});

const validate = createRoute({
  method: "post",
  path: "/v1/fine_tuning/alpha/graders/validate",
  tags,
  summary: "Check a grader",
  request: { body: jsonBody(ValidateGrader) },
  responses: { 200: json(ValidatedGrader, "Nothing is wrong with it."), ...bodies },
});

export function graderRoutes(graders: GraderService): Router {
  return newRouter()
    .openapi(run, async (c) => {
      const graded = await graders.run(c.var.project, c.req.valid("json"), c.req.raw.signal);
      return c.json(GraderRun.parse(graded), 200);
    })
    .openapi(validate, async (c) => {
      const grader = await graders.validate(c.var.project, c.req.valid("json").grader as Grader);
      return c.json(ValidatedGrader.parse({ grader }), 200);
    });
}
