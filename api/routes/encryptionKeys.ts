/** `/v1/organization/encryption_key`: Millrace's own, beside OpenAI's admin API. */
import { createRoute, z } from "@hono/zod-openapi";
import { EncryptionKey } from "../../shared/schemas/encryptionKey.ts";
import { newRouter, type Router } from "../router.ts";
import type { EncryptionKeyService } from "../services/encryptionKeys.ts";
import { conflict, failures, json } from "./contract.ts";

const tags = ["Encryption"];
const path = "/v1/organization/encryption_key" as const;
const responses = { 200: json(EncryptionKey, "The organization's key."), ...failures };

const retrieve = createRoute({
  method: "get",
  path,
  tags,
  summary: "Look at the organization's encryption key",
  responses,
});

const rotate = createRoute({
  method: "post",
  path: `${path}/rotate`,
  tags,
  summary: "Seal what is new under a new version of the key",
  description: "What was stored before stays readable. After a deletion this makes a key again, for what is new alone.",
  responses: { ...responses, ...conflict },
});

const remove = createRoute({
  method: "delete",
  path,
  tags,
  summary: "Delete the key, and with it what was stored under it",
  description:
    "Cannot be undone. Within five seconds no process reads the organization's files, datasets, models, checkpoints and results any more: calls that need them, and that store anything, are answered 410 `encryption_key_deleted`, and jobs fail with that code.",
  request: {
    query: z.object({
      confirmation: z
        .string()
        .max(64)
        .optional()
        .openapi({ description: "The organization's id, without which nothing is deleted." }),
    }),
  },
  responses: { ...responses, ...conflict },
});

export function encryptionKeyRoutes(keys: EncryptionKeyService): Router {
  return newRouter()
    .openapi(retrieve, async (c) => c.json(EncryptionKey.parse(await keys.get(c.var.actor)), 200))
    .openapi(rotate, async (c) => c.json(EncryptionKey.parse(await keys.rotate(c.var.actor)), 200))
    .openapi(remove, async (c) => {
      const { confirmation } = c.req.valid("query");
      return c.json(EncryptionKey.parse(await keys.delete(c.var.actor, confirmation)), 200);
    });
}
