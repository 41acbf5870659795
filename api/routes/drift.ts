/** `/v1/models/{id}/drift` and `/v1/functions/{name}/drift` */
import { createRoute, z } from "@hono/zod-openapi";
import { driftLimits } from "../../shared/drift/drift.ts";
import { DriftReport } from "../../shared/schemas/drift.ts";
import { newRouter, type Router } from "../router.ts";
import type { DriftService } from "../services/drift.ts";
import { failures, idParams, json, overloaded } from "./contract.ts";

const tags = ["Drift"];
const name = z.string().openapi({ param: { name: "name", in: "path" }, description: "The function's name." });

const whole = (minimum: number, maximum: number, description: string) =>
  z.coerce
    .number()
    .int()
    .min(minimum)
    .max(maximum)
    .optional()
    .openapi({ type: "integer", minimum, maximum, description });

/** A number that may be 0, as an empty text would be one, too. */
const digits = (most: number, description: string) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${most}}$`), `not a whole number of ${most} digits at most`)
    .transform(Number)
    .optional()
    .openapi({ type: "integer", minimum: 0, description });

const { reference, window, alpha } = driftLimits;
const query = z.object({
  since: digits(12, "Unix time in seconds from which on answers count, such as a promotion's. Absent: all."),
  reference: whole(
    reference.least,
    reference.most,
    `How many answers the reference has at most. Default: ${reference.usual}.`,
  ),
  window: whole(window.least, window.most, `How many answers the window has at most. Default: ${window.usual}.`),
  alpha: z.coerce
    .number()
    .min(alpha.least)
    .max(alpha.most)
    .optional()
    .openapi({
      ...{ type: "number", minimum: alpha.least, maximum: alpha.most },
      description: `The chance of any false alarm. Default: ${alpha.usual}.`,
    }),
  seed: digits(9, "Of the permutations, nine digits at most. Default: 1."),
  base: z.string().max(512).optional().openapi({
    description: "A base model, or one tuned over one, whose vectors of texts are compared. Absent: hashed n-grams.",
  }),
});

const description = `The first answers since then, up to \`reference\`, are compared with the newest, up to \`window\`: inputs, outputs, and feedback in force. Thresholds come from a thousand permutations of the answers, adjusted for the number of measures. Only answers whose input was kept count, and of each episode one; with fewer than ${reference.least} and ${window.least} \`drifted\` is null. An answer is remembered for 30 seconds.`;

const ofModel = createRoute({
  method: "get",
  path: "/v1/models/{id}/drift",
  tags,
  summary: "Tell whether what a model is asked, answers or is told has drifted",
  description,
  request: { params: idParams("Name of the model, or `alias:…` for the one that it means."), query },
  responses: { 200: json(DriftReport, "What moved."), ...failures, 503: overloaded[503] },
});

const ofFunction = createRoute({
  method: "get",
  path: "/v1/functions/{name}/drift",
  tags,
  summary: "Tell whether what a function is asked, answers or is told has drifted",
  description,
  request: { params: z.object({ name }), query },
  responses: { 200: json(DriftReport, "What moved."), ...failures, 503: overloaded[503] },
});

export function driftRoutes(drift: DriftService): Router {
  return newRouter()
    .openapi(ofModel, async (c) => {
      const report = await drift.ofModel(c.var.project, c.req.valid("param").id, c.req.valid("query"));
      return c.json(DriftReport.parse(report), 200);
    })
    .openapi(ofFunction, async (c) => {
      const report = await drift.ofFunction(c.var.project, c.req.valid("param").name, c.req.valid("query"));
      return c.json(DriftReport.parse(report), 200);
    });
}
