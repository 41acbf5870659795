/** Loaded first (`node --import`): what node makes of TypeScript is kept in `.millrace/`, for this process and its children. */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("../../.millrace/compiled", import.meta.url));
enableCompileCache(process.env.NODE_COMPILE_CACHE);
