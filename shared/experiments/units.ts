/** Who is assigned: the person that a request names, else its episode, else the call by itself. */
import { hash } from "node:crypto";
import type { Unit, UnitKind } from "../schemas/assignment.ts";

export interface CallOfUnit {
  /** Of the inference. */
  id: string;
  request: unknown;
  /** Null: of none. */
  episode_id: string | null;
}

/** `user` and `safety_identifier` are two names of one thing, of which some endpoints have only one. */
export function unitOf({ id, request, episode_id }: CallOfUnit): Unit {
  const { user, safety_identifier } = request as { user?: unknown; safety_identifier?: unknown };
  const person = [safety_identifier, user].find((one) => typeof one === "string" && one !== "");
  if (typeof person === "string") return unit("person", person);
  return episode_id === null ? unit("inference", id) : unit("episode", episode_id);
}

export function unit(kind: UnitKind, value: string): Unit {
  return { kind, key: hash("sha256", JSON.stringify([kind, value])).slice(0, 32) };
}
