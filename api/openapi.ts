/** `npm run openapi` writes the contract to `api/openapi.json`, where its changes can be reviewed. */
import { writeFile } from "node:fs/promises";
import { createApp } from "./app.ts";
import { describeApi } from "./document.ts";
import type { Services } from "./services/services.ts";

/** The contract needs no service: none is called. */
export function renderOpenApi(): string {
  return `${JSON.stringify(describeApi(createApp({} as Services)), null, 2)}\n`;
}

if (import.meta.main) await writeFile(new URL("./openapi.json", import.meta.url), renderOpenApi());
