/** `/v1/datasets` */
import { Readable } from "node:stream";
import { createRoute, z } from "@hono/zod-openapi";
import { CreateDatasetVersion, Dataset, DatasetDiff, DatasetVersion } from "../../shared/schemas/dataset.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { DatasetService } from "../services/datasets.ts";
import { conflict, failures, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Datasets"];
const name = z.string().openapi({ param: { name: "name", in: "path" }, description: "The dataset's name." });
const number = z.coerce.number().int().min(1);
/** Whatever is no number names no version. */
const version = z
  .string()
  .transform((text) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0))
  .openapi({
    type: "integer",
    minimum: 1,
    param: { name: "version", in: "path" },
    description: "The version's number.",
  });
/** Of one version. */
export const versionParams = z.object({ name, version });
const DatasetList = listOf(Dataset, "DatasetList");
const DatasetVersionList = listOf(DatasetVersion, "DatasetVersionList");

const create = createRoute({
  method: "post",
  path: "/v1/datasets/{name}/versions",
  tags,
  summary: "Build a dataset's next version",
  description:
    "The first makes the dataset. Rows are merged by text, a later source correcting the earlier, and split so that rows of one `subject`, and texts that are nearly the same, are on one side; rows of the version before stay where they were. A worker builds it: ask again until it is `ready`.",
  request: { params: z.object({ name }), body: jsonBody(CreateDatasetVersion) },
  responses: { 200: json(DatasetVersion, "The version, not yet built."), ...failures, ...tooLarge, ...wrongMediaType },
});

const list = createRoute({
  method: "get",
  path: "/v1/datasets",
  tags,
  summary: "List datasets",
  responses: { 200: json(DatasetList, "All datasets of the project, by name."), ...failures },
});

const versions = createRoute({
  method: "get",
  path: "/v1/datasets/{name}/versions",
  tags,
  summary: "List a dataset's versions, newest first",
  request: { params: z.object({ name }), query: paging("dataset_version", { maximum: 100, usual: 20 }) },
  responses: { 200: json(DatasetVersionList, "A page of versions."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/datasets/{name}/versions/{version}",
  tags,
  summary: "Retrieve a version",
  request: { params: versionParams },
  responses: { 200: json(DatasetVersion, "The version."), ...failures },
});

const content = createRoute({
  method: "get",
  path: "/v1/datasets/{name}/versions/{version}/content",
  tags,
  summary: "Download a version's rows",
  request: { params: versionParams },
  responses: {
    200: {
      description: "JSONL: id, text, label, split, subjects, and the origins that the row and its label came from.",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...failures,
    ...conflict,
  },
});

const diff = createRoute({
  method: "get",
  path: "/v1/datasets/{name}/versions/{version}/diff",
  tags,
  summary: "Tell what changed from one version to another",
  request: {
    params: versionParams,
    query: z.object({
      against: number.optional().openapi({
        type: "integer",
        minimum: 1,
        description: "The earlier version's number; absent: the one whose splits it kept.",
      }),
    }),
  },
  responses: { 200: json(DatasetDiff, "The differences."), ...failures, ...conflict },
});

export function datasetRoutes(datasets: DatasetService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const { name } = c.req.valid("param");
      const made = await datasets.createVersion(c.var.project, name, c.req.valid("json"), attemptIn(c));
      return c.json(DatasetVersion.parse(made), 200);
    })
    .openapi(list, async (c) => c.json(DatasetList.parse(await datasets.list(c.var.project)), 200))
    .openapi(versions, async (c) => {
      const page = await datasets.versions(c.var.project, c.req.valid("param").name, c.req.valid("query"));
      return c.json(DatasetVersionList.parse(page), 200);
    })
    .openapi(retrieve, async (c) => {
      const { name, version } = c.req.valid("param");
      return c.json(DatasetVersion.parse(await datasets.version(c.var.project, name, version)), 200);
    })
    .openapi(content, async (c) => {
      const { name, version } = c.req.valid("param");
      const body = Readable.toWeb(await datasets.content(c.var.project, name, version)) as ReadableStream;
      return c.body(body, 200, { "content-type": "application/octet-stream" });
    })
    .openapi(diff, async (c) => {
      const { name, version } = c.req.valid("param");
      const found = await datasets.diff(c.var.project, name, version, c.req.valid("query").against);
      return c.json(DatasetDiff.parse(found), 200);
    });
}
