/** Aliases: movable names, each for one model, so that a client's code need not change when its model does. */
import { z } from "@hono/zod-openapi";

/**
 * Of the name alone: a short one, called as `alias:<name>`; or a whole `ft:…`, called as it is, so that what names a
 * model of another cloud need not change.
 */
export const aliasNamePattern = /^(?:[a-z0-9][a-z0-9._-]{0,63}|ft:[A-Za-z0-9][A-Za-z0-9._:-]{0,251})$/;

/** What is put in the place of a model's name. */
export const aliasId = (name: string) => (name.startsWith("ft:") ? name : `alias:${name}`);

const Name = z
  .string()
  .regex(
    aliasNamePattern,
    "1 to 64 of a to z, digits, dots, hyphens and underscores, the first a letter or digit; or a whole `ft:…`",
  );
const Target = z.string().min(1).max(512);
const Reason = z.string().min(1).max(500);

export const Alias = z
  .object({
    id: z.string().openapi({
      description:
        "What to put in the place of a model's name: `alias:` and the name, or the name itself where it is `ft:…`.",
    }),
    object: z.literal("alias").openapi({ description: "Always `alias`." }),
    name: Name.openapi({ description: "As given." }),
    model: z.string().openapi({ description: "The model that it means now." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    moved_at: z
      .int()
      .openapi({ description: "Unix time in seconds of its last move; of its creation, where it never moved." }),
  })
  .openapi("Alias");
export type Alias = z.infer<typeof Alias>;

export const AliasRecord = Alias.extend({ project_id: z.string() });
export type AliasRecord = z.infer<typeof AliasRecord>;

export const AliasMove = z
  .object({
    id: z.string().openapi({ description: "`amove_…`" }),
    object: z.literal("alias.move").openapi({ description: "Always `alias.move`." }),
    alias: z.string().openapi({ description: "The alias's name." }),
    from: z.string().nullable().openapi({ description: "The model that it meant before; null: it was created." }),
    to: z.string().nullable().openapi({ description: "The model that it meant from then on; null: it was deleted." }),
    reason: z.string().nullable().openapi({ description: "As given; null: none." }),
    moved_by: z.string().openapi({ description: "Id of the API key that asked for it." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
  })
  .openapi("AliasMove");
export type AliasMove = z.infer<typeof AliasMove>;

const model = Target.openapi({ description: "A base model, or a fine-tuned model of yours." });
const reason = Reason.nullish().openapi({ description: "Why, for those who read its moves; null: none." });

export const CreateAlias = z
  .strictObject({
    name: Name.openapi({
      description:
        "Letters, digits, dots, hyphens and underscores; or the whole name of a model elsewhere, `ft:gpt-…`, which then is called by that name. A model of yours with the name goes before it.",
      example: "intents",
    }),
    model,
    reason,
  })
  .openapi("CreateAlias");
export type CreateAlias = z.infer<typeof CreateAlias>;

export const MoveAlias = z
  .strictObject({
    model,
    from: Target.nullish().openapi({
      description:
        "The model that it must still mean; null: whichever. Of two that move it at once, one is refused by this.",
    }),
    reason,
  })
  .openapi("MoveAlias");
export type MoveAlias = z.infer<typeof MoveAlias>;

export const DeletedAlias = z
  .object({
    id: z.string().openapi({ description: "The alias it was." }),
    object: z.literal("alias").openapi({ description: "Always `alias`." }),
    deleted: z.literal(true).openapi({ description: "Always true." }),
  })
  .openapi("DeletedAlias");
