/** The projects of a run: made, given what the load needs, and each with a client of its own. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { importBase } from "../../infra/models/importBase.ts";
import { philox } from "../../shared/engine/random.ts";
import { newId } from "../../shared/ids.ts";
import { newApiKey } from "../../shared/stores/apiKeys.ts";
import { createTenant, type Tenant } from "../support/deployment.ts";
import { itemSchema, rightLabel } from "../support/evals.ts";
import type { Receiver } from "../support/receiver.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { clientOf, type Line } from "./reliabilityClient.ts";
import { Ledger, type Player } from "./reliabilityLedger.ts";
import type { Session } from "./reliabilitySession.ts";
import { createModel } from "./reliabilityWork.ts";
import type { World } from "./reliabilityWorld.ts";

const monthlyNanos = 1e15;
const markers = ["zebra", "walrus", "ocelot", "heron"];

/** Numbers from 0 to less than 1, the same for the seed and stream each time. */
export function randomOf(seed: number, stream: number): () => number {
  let drawn = 0;
  return () => philox([drawn++, 0, 0, 0], [seed, stream])[0] / 2 ** 32;
}

/** The first two projects are of one organization. */
export async function openSessions(
  world: World,
  receiver: Receiver,
  { seed, projects = markers.length }: { seed: number; projects?: number | undefined },
): Promise<Session[]> {
  const { stores, home } = world.cloud;
  await addBase(world, join(home, "tiny"));
  // Its name, which is part of its models', is not its first project's alone.
  const first = await createTenant(stores, "shared");
  const others = await Promise.all(markers.slice(2).map((marker) => createTenant(stores, marker)));
  const tenants = [first, await createNeighbour(world, first, markers[1]!), ...others].slice(0, projects);
  const players: Player[] = tenants.map(({ project }, i) => {
    return { marker: markers[i]!, project: project.id, organization: project.organization_id };
  });
  const ledger = new Ledger(players);
  const random = randomOf(seed, 2);
  const line: Line = { ledger, origin: () => world.origin(Math.floor(random() * 2)) };
  const sessions = players.map((player, i): Session => {
    const { key, adminKey } = tenants[i]!;
    const admin: Session["admin"] = async (path, query) => {
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      );
      const headers = { authorization: `Bearer ${adminKey}` };
      return (await (await fetch(`${world.origin(0)}${path}?${search}`, { headers })).json()) as never;
    };
    const own = { client: clientOf(player, key, line), admin, random: randomOf(seed, 3 + i), isRecorded: i !== 3 };
    return { ...player, ...own, ledger, models: [], judged: [], eval: "", made: 0 };
  });
  await Promise.all(sessions.map((session) => prepare(session, world, receiver)));
  return sessions;
}

/** Another project of the same organization. */
async function createNeighbour({ cloud }: World, { project, adminKey }: Tenant, name: string): Promise<Tenant> {
  const neighbour = { ...project, id: newId("project"), name };
  await cloud.stores.projects.create(neighbour);
  const { record, secret } = newApiKey({ name: "test", project_id: neighbour.id });
  await cloud.stores.apiKeys.create(record);
  return { project: neighbour, key: secret, adminKey };
}

async function addBase({ cloud }: World, directory: string): Promise<void> {
  await mkdir(directory);
  await writeTinyBase(
    directory,
    rowsOf(5).map(({ text }) => text),
  );
  const files = await readdir(directory);
  await importBase(cloud.stores, { id: "tiny", directory, files, replace: false });
}

/** Before anything goes wrong: what the load is given, a model among it. */
async function prepare(session: Session, world: World, receiver: Receiver): Promise<void> {
  const { client, marker, project, isRecorded } = session;
  if (isRecorded) await world.cloud.stores.projects.update(project, { inference_records: "full" });
  const types = ["fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled"];
  const event_types = [...types, "batch.completed", "batch.failed", "eval.run.succeeded", "eval.run.failed"];
  const versions = ["millrace.dataset_version.ready", "millrace.dataset_version.failed"];
  const body = { name: marker, url: `${receiver.url}/${marker}`, event_types: [...event_types, ...versions] };
  await client.post("/webhook_endpoints", { body });
  // Nothing comes near it; but what queued work is expected to cost is reserved.
  await world.cloud.stores.budgets.setLimit(project, monthlyNanos, []);
  const metric = { name: "solved", type: "boolean", level: "inference", optimize: "max" };
  await client.post("/metrics", { body: metric });
  const { id } = await client.evals.create({
    data_source_config: { type: "custom", item_schema: itemSchema, include_sample_schema: true },
    testing_criteria: [rightLabel],
  });
  session.eval = id;
  await createModel(session);
  const [model] = session.models;
  const reason = `${marker} begins`;
  await client.post("/aliases", { body: { name: "prod", model, reason } });
  session.ledger.add("alias_move", session, reason, { to: model, acknowledged: true });
}
