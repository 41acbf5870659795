/** `/v1/files` */
import { createRoute, z } from "@hono/zod-openapi";
import { DeletedFile, File, filePurposes, storedPurposes } from "../../shared/schemas/file.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { FileService } from "../services/files.ts";
import { failures, idParams, json, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { sendContent } from "./fileContent.ts";
import { attemptIn } from "./retries.ts";

const tags = ["Files"];
const params = idParams("Id of the file, `file-…`.");
const FileList = listOf(File, "FileList");

/** Given as a plain schema, so that nothing reads the body but the service, which streams it. */
const uploadBody = {
  required: true,
  content: {
    "multipart/form-data": {
      schema: {
        type: "object" as const,
        required: ["file", "purpose"],
        properties: {
          file: { type: "string" as const, format: "binary", description: "The content; at least one byte." },
          purpose: { type: "string" as const, enum: [...filePurposes], description: "What the file may be used for." },
          "expires_after[anchor]": {
            type: "string" as const,
            enum: ["created_at"],
            description: "What seconds count from.",
          },
          "expires_after[seconds]": {
            type: "integer" as const,
            minimum: 3600,
            maximum: 2592000,
            description: "Seconds until the file is deleted, one hour to thirty days; without: never.",
          },
        },
      },
    },
  },
};

const create = createRoute({
  method: "post",
  path: "/v1/files",
  tags,
  summary: "Upload a file",
  request: { body: uploadBody },
  responses: { 200: json(File, "The stored file."), ...failures, ...tooLarge, ...wrongMediaType },
});

const list = createRoute({
  method: "get",
  path: "/v1/files",
  tags,
  summary: "List files",
  request: {
    query: paging("file", { maximum: 10_000, usual: 10_000 }).extend({
      order: z.enum(["asc", "desc"]).default("desc").openapi({ description: "By time of creation." }),
      purpose: z.enum(storedPurposes).optional().openapi({ description: "Only files of this purpose." }),
    }),
  },
  responses: { 200: json(FileList, "A page of files."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/files/{id}",
  tags,
  summary: "Retrieve a file",
  request: { params },
  responses: { 200: json(File, "The file."), ...failures },
});

const content = createRoute({
  method: "get",
  path: "/v1/files/{id}/content",
  tags,
  summary: "Download a file's content",
  request: { params },
  responses: {
    200: {
      description: "The bytes as uploaded.",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    302: {
      description: "Larger files: a link to the bytes in `location`, good for five minutes without a key.",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...failures,
  },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/files/{id}",
  tags,
  summary: "Delete a file",
  request: { params },
  responses: { 200: json(DeletedFile, "The file is gone."), ...failures },
});

export function fileRoutes(files: FileService): Router {
  return newRouter()
    .openapi(create, async (c) => {
      const length = c.req.header("content-length");
      const declaredBytes = length === undefined ? undefined : Number(length);
      const upload = { contentType: c.req.header("content-type"), body: c.req.raw.body, declaredBytes };
      return c.json(File.parse(await files.create(c.var.project, upload, attemptIn(c))), 200);
    })
    .openapi(list, async (c) => c.json(FileList.parse(await files.list(c.var.project, c.req.valid("query"))), 200))
    .openapi(retrieve, async (c) => c.json(File.parse(await files.get(c.var.project, c.req.valid("param").id)), 200))
    .openapi(content, async (c) => sendContent(c, await files.content(c.var.project, c.req.valid("param").id)))
    .openapi(remove, async (c) => {
      const { id } = c.req.valid("param");
      await files.delete(c.var.project, id);
      return c.json({ id, object: "file" as const, deleted: true }, 200);
    });
}
