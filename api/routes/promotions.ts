/** `/v1/functions/{name}/policy`, `/turn` and `/promotions` */
import { createRoute, z } from "@hono/zod-openapi";
import { type HumanVerb, humanVerbs } from "../../shared/promotionStates.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { Policy, PutPolicy } from "../../shared/schemas/policy.ts";
import { Promotion } from "../../shared/schemas/promotion.ts";
import { newRouter, type Router } from "../router.ts";
import type { PolicyService } from "../services/policies.ts";
import type { PromotionService } from "../services/promotions.ts";
import { conflict, failures, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";

const tags = ["Promotions"];
const name = z
  .string()
  .openapi({ param: { name: "name", in: "path" }, description: "The function's name, or its id, `fn:…`." });
const id = z.string().openapi({ param: { name: "id", in: "path" }, description: "The promotion's id." });
const PromotionList = listOf(Promotion, "PromotionList");
const told = { 200: json(Promotion, "The promotion."), ...failures };

const putPolicy = createRoute({
  method: "put",
  path: "/v1/functions/{name}/policy",
  tags,
  summary: "Say when a function's model is trained anew, on what, and what it must pass",
  description: "Turns that have begun go on by what was said when they did.",
  request: { params: z.object({ name }), body: jsonBody(PutPolicy) },
  responses: { 200: json(Policy, "The policy."), ...failures, ...tooLarge, ...wrongMediaType },
});

const getPolicy = createRoute({
  method: "get",
  path: "/v1/functions/{name}/policy",
  tags,
  summary: "Retrieve a function's policy",
  request: { params: z.object({ name }) },
  responses: { 200: json(Policy, "The policy."), ...failures },
});

const turn = createRoute({
  method: "post",
  path: "/v1/functions/{name}/turn",
  tags,
  summary: "Begin a turn now",
  description: "Whatever the trigger says. One turn of a function at a time is under way.",
  request: { params: z.object({ name }) },
  responses: { ...told, ...conflict },
});

const list = createRoute({
  method: "get",
  path: "/v1/functions/{name}/promotions",
  tags,
  summary: "List a function's promotions, newest first",
  request: { params: z.object({ name }), query: paging("promotion", { maximum: 100, usual: 20 }) },
  responses: { 200: json(PromotionList, "A page of promotions."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/functions/{name}/promotions/{id}",
  tags,
  summary: "Retrieve a promotion, with every figure and reason",
  request: { params: z.object({ name, id }) },
  responses: told,
});

const verbs: Record<HumanVerb, { summary: string; description: string }> = {
  hold: { summary: "Hold a promotion where it stands", description: "Nothing more happens to it until somebody asks." },
  resume: { summary: "Let a held promotion go on", description: "From the step at which it was held." },
  force: {
    summary: "Pass a promotion's step, whatever its check says",
    description: "Of its data, its candidate or its canary; also after that check has stopped it.",
  },
  revert: {
    summary: "Take a promotion back",
    description: "Whoever answered before does so again, everywhere within five seconds; one under way ends.",
  },
};

const change = <Verb extends HumanVerb>(verb: Verb) =>
  createRoute({
    method: "post",
    path: `/v1/functions/{name}/promotions/{id}/${verb}` as const,
    tags,
    ...verbs[verb],
    request: {
      params: z.object({ name, id }),
      query: z.object({
        reason: z
          .string()
          .max(500)
          .optional()
          .openapi({ description: "Why, for the history; 500 characters at most." }),
      }),
    },
    responses: { ...told, ...conflict },
  });

export function promotionRoutes(policies: PolicyService, promotions: PromotionService): Router {
  const router = newRouter()
    .openapi(putPolicy, async (c) => {
      const { name } = c.req.valid("param");
      return c.json(Policy.parse(await policies.put(c.var.project, name, c.req.valid("json"))), 200);
    })
    .openapi(getPolicy, async (c) => {
      return c.json(Policy.parse(await policies.get(c.var.project, c.req.valid("param").name)), 200);
    })
    .openapi(turn, async (c) => {
      return c.json(Promotion.parse(await promotions.turn(c.var, c.req.valid("param").name)), 200);
    })
    .openapi(list, async (c) => {
      const found = await promotions.list(c.var.project, c.req.valid("param").name, c.req.valid("query"));
      return c.json(PromotionList.parse(found), 200);
    })
    .openapi(retrieve, async (c) => {
      const { name, id } = c.req.valid("param");
      return c.json(Promotion.parse(await promotions.get(c.var.project, name, id)), 200);
    });
  for (const verb of humanVerbs) {
    router.openapi(change(verb), async (c) => {
      const target = { ...c.req.valid("param"), ...c.req.valid("query"), verb };
      return c.json(Promotion.parse(await promotions.change(c.var, target)), 200);
    });
  }
  return router;
}
