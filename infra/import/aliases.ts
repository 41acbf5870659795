/** The table by which calls to `ft:gpt-…` reach what took its place. One that was moved since is left where it is. */

import OpenAI from "openai";
import type { Alias } from "../../shared/schemas/alias.ts";
import type { Calls } from "./calls.ts";
import type { Trained } from "./jobs.ts";
import { type Outcome, reasonOf } from "./outcome.ts";

const pathOf = (name: string) => `/aliases/${encodeURIComponent(name)}`;

export async function aliasModels(calls: Calls, trained: readonly Trained[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { old, model } of trained) {
    const earlier = await meaningOf(calls, old);
    if (earlier !== undefined) {
      const note = earlier === model ? model : `means ${earlier}, and is left so`;
      outcomes.push({ of: old, id: old, state: "present", note });
      continue;
    }
    const body = { name: old, model, reason: "imported from OpenAI" };
    outcomes.push(
      await calls.client.post<Alias>("/aliases", { body, signal: calls.signal }).then(
        (alias): Outcome => ({ of: old, id: alias.id, state: "imported", note: alias.model }),
        (error): Outcome => ({ of: old, id: null, state: "left", note: reasonOf(error) }),
      ),
    );
  }
  return outcomes;
}

/** The model that an old name means here; undefined: none. */
export async function meaningOf({ client, signal }: Calls, name: string): Promise<string | undefined> {
  try {
    return (await client.get<Alias>(pathOf(name), { signal })).model;
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) return undefined;
    throw error;
  }
}
