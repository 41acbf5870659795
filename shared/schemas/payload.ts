/** JSON of any size that belongs to a row: its text while it is small, else the key of the object that holds it. */
import { z } from "zod";

export const Payload = z.union([z.object({ json: z.string() }), z.object({ object_key: z.string() })]);
export type Payload = z.infer<typeof Payload>;
