/** `/v1/uploads` */
import { createRoute } from "@hono/zod-openapi";
import { ErrorResponse } from "../../shared/schemas/error.ts";
import {
  CompleteUpload,
  CreatePartLink,
  CreateUpload,
  Upload,
  UploadPart,
  UploadPartLink,
} from "../../shared/schemas/upload.ts";
import { newRouter, type Router } from "../router.ts";
import type { UploadService } from "../services/uploads.ts";
import { conflict, failures, idParams, json, jsonBody, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Uploads"];
const params = idParams("Id of the upload, `upload_…`.");

const create = createRoute({
  method: "post",
  path: "/v1/uploads",
  tags,
  summary: "Begin a file that comes in parts",
  description:
    "For files larger than one request may be: behind API Gateway and Lambda that is about 4 MB, in containers what the deployment allows. An upload lasts an hour.",
  request: { body: jsonBody(CreateUpload) },
  responses: {
    200: json(Upload, "The upload, pending."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    429: json(ErrorResponse, "`insufficient_quota`: the project's stored files leave no room for it."),
  },
});

/** Given as a plain schema, so that nothing reads the body but the service, which streams it. */
const partBody = {
  required: true,
  content: {
    "multipart/form-data": {
      schema: {
        type: "object" as const,
        required: ["data"],
        properties: {
          data: { type: "string" as const, format: "binary", description: "The part's bytes: 1 to 64 MiB." },
        },
      },
    },
  },
};

const addPart = createRoute({
  method: "post",
  path: "/v1/uploads/{id}/parts",
  tags,
  summary: "Add a part",
  description: "Parts may come in any order and side by side; their order is told when the upload is completed.",
  request: { params, body: partBody },
  responses: { 200: json(UploadPart, "The stored part."), ...failures, ...conflict, ...tooLarge, ...wrongMediaType },
});

const linkPart = createRoute({
  method: "post",
  path: "/v1/uploads/{id}/part_links",
  tags,
  summary: "Add a part that goes straight into the bucket",
  description:
    "For parts larger than a request through the API may be. The part counts once its bytes were sent to the link; until the upload is completed they lie in the bucket as they were sent.",
  request: { params, body: jsonBody(CreatePartLink) },
  responses: { 200: json(UploadPartLink, "Where to send its bytes."), ...failures, ...conflict, ...wrongMediaType },
});

const complete = createRoute({
  method: "post",
  path: "/v1/uploads/{id}/complete",
  tags,
  summary: "Make a file of the parts",
  description: "Asked for again with the same parts, it has the same answer.",
  request: { params, body: jsonBody(CompleteUpload) },
  responses: { 200: json(Upload, "The upload with its file."), ...failures, ...conflict, ...wrongMediaType },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/uploads/{id}/cancel",
  tags,
  summary: "Cancel an upload",
  request: { params },
  responses: { 200: json(Upload, "The upload, cancelled, and its parts gone."), ...failures, ...conflict },
});

export function uploadRoutes(uploads: UploadService): Router {
  return newRouter()
    .openapi(create, async (c) =>
      c.json(Upload.parse(await uploads.create(c.var.project, c.req.valid("json"), attemptIn(c))), 200),
    )
    .openapi(addPart, async (c) => {
      const body = { contentType: c.req.header("content-type"), body: c.req.raw.body };
      return c.json(UploadPart.parse(await uploads.addPart(c.var.project, c.req.valid("param").id, body)), 200);
    })
    .openapi(linkPart, async (c) => {
      const link = await uploads.linkPart(c.var.project, c.req.valid("param").id, c.req.valid("json"));
      return c.json(UploadPartLink.parse(link), 200);
    })
    .openapi(complete, async (c) =>
      c.json(Upload.parse(await uploads.complete(c.var.project, c.req.valid("param").id, c.req.valid("json"))), 200),
    )
    .openapi(cancel, async (c) =>
      c.json(Upload.parse(await uploads.cancel(c.var.project, c.req.valid("param").id)), 200),
    );
}
