/** The API as a Lambda function. */
import { handle } from "hono/aws-lambda";
import { openContainer } from "./container.ts";

export const handler = handle(openContainer(process.env).app);
