/** `/v1/datasets/{name}/versions/{version}/doctor` */
import { createRoute } from "@hono/zod-openapi";
import { LabelDoctorReport } from "../../shared/schemas/labelDoctor.ts";
import { newRouter, type Router } from "../router.ts";
import type { LabelDoctorService } from "../services/labelDoctor.ts";
import { conflict, failures, json } from "./contract.ts";
import { versionParams } from "./datasets.ts";

const tags = ["Labels"];
const path = "/v1/datasets/{name}/versions/{version}/doctor";

const call = createRoute({
  method: "post",
  path,
  tags,
  summary: "Call the label doctor to a version",
  description:
    "A worker looks at each row by what n-grams of the other rows say of it, and ranks the labels that are probably wrong. Ask again until the report is `ready`; a version that was looked at before has its report.",
  request: { params: versionParams },
  responses: { 200: json(LabelDoctorReport, "The report, as far as it is."), ...failures, ...conflict },
});

const retrieve = createRoute({
  method: "get",
  path,
  tags,
  summary: "Retrieve what the label doctor found in a version",
  request: { params: versionParams },
  responses: { 200: json(LabelDoctorReport, "The report, as far as it is."), ...failures },
});

export function labelDoctorRoutes(doctor: LabelDoctorService): Router {
  return newRouter()
    .openapi(call, async (c) => {
      const { name, version } = c.req.valid("param");
      return c.json(LabelDoctorReport.parse(await doctor.call(c.var.project, name, version)), 200);
    })
    .openapi(retrieve, async (c) => {
      const { name, version } = c.req.valid("param");
      return c.json(LabelDoctorReport.parse(await doctor.report(c.var.project, name, version)), 200);
    });
}
