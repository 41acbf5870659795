/** The OpenAPI document, from the contracts of the routes. */
import type { Router } from "./router.ts";

export type OpenApiDocument = ReturnType<Router["getOpenAPI31Document"]>;

export function describeApi(app: Router): OpenApiDocument {
  const scheme = { type: "http", scheme: "bearer", description: "An API key; it opens one project." } as const;
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Millrace",
      version: "0.1.0",
      description: "Fine-tuning and inference, answering the official `openai` SDK.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
  });
  return { ...document, components: { ...document.components, securitySchemes: { key: scheme } } };
}
