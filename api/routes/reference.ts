/** `/openapi.json` and `/reference`: the contract for machines, and for people. Nothing is loaded from elsewhere. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createRoute, z } from "@hono/zod-openapi";
import { newRouter, type Router } from "../router.ts";
import { failures, json } from "./contract.ts";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Millrace API reference</title>
    <link rel="icon" href="/reference/favicon-32x32.png">
    <link rel="stylesheet" href="/reference/swagger-ui.css">
  </head>
  <body>
    <div id="reference"></div>
    <script src="/reference/swagger-ui-bundle.js"></script>
    <script src="/reference/start.js"></script>
  </body>
</html>
`;

/** The page's own scripts and styles, and its own API to try; nobody may frame it. */
const policy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const start = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", validatorUrl: null, persistAuthorization: false });
`;

const assets: Record<string, { type: string; read(): Promise<Uint8Array<ArrayBuffer>> | string }> = {
  "start.js": { type: "text/javascript; charset=utf-8", read: () => start },
  "swagger-ui-bundle.js": { type: "text/javascript; charset=utf-8", read: () => dist("swagger-ui-bundle.js") },
  "swagger-ui.css": { type: "text/css; charset=utf-8", read: () => dist("swagger-ui.css") },
  "favicon-32x32.png": { type: "image/png", read: () => dist("favicon-32x32.png") },
};

async function dist(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`))));
}

const contract = createRoute({
  method: "get",
  path: "/openapi.json",
  tags: ["Service"],
  summary: "This contract",
  security: [],
  responses: { 200: json(z.looseObject({}), "OpenAPI 3.1.") },
});

const reference = createRoute({
  method: "get",
  path: "/reference",
  tags: ["Service"],
  summary: "This contract, to read and to try",
  security: [],
  responses: { 200: { description: "A page.", content: { "text/html": { schema: z.string() } } } },
});

const asset = createRoute({
  method: "get",
  path: "/reference/{name}",
  hide: true,
  request: { params: z.object({ name: z.enum(Object.keys(assets)) }) },
  responses: {
    200: { description: "A part of the page.", content: { "application/octet-stream": { schema: z.string() } } },
    400: failures[400],
  },
});

export function referenceRoutes(document: () => object): Router {
  return newRouter()
    .openapi(contract, (c) => c.json({ ...document() }, 200))
    .openapi(reference, (c) => {
      c.header("content-security-policy", policy);
      return c.html(page);
    })
    .openapi(asset, async (c) => {
      const { type, read } = assets[c.req.valid("param").name]!;
      c.header("cache-control", "public, max-age=86400");
      return c.body(await read(), 200, { "content-type": type });
    });
}
