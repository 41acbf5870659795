/** The light API as a function: its secrets are fetched when it starts, so that none is in its configuration. */
import { fetchSecrets } from "./secrets.ts";

await fetchSecrets(process.env);

export const { handler } = await import("../../api/lambda.ts");
