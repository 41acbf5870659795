/** The secrets that sign an endpoint's deliveries, as its row keeps them. */
import type { SealedSecret, WebhookEndpointRecord } from "../schemas/webhookEndpoint.ts";
import type { Sealer } from "./sealer.ts";
import { newSecret } from "./signature.ts";

type Endpoint = Pick<WebhookEndpointRecord, "project_id" | "id">;

const overlapSeconds = 24 * 60 * 60;
const purposeOf = ({ project_id, id }: Endpoint) => `webhook:${project_id}:${id}`;
const isLive = ({ expires_at }: SealedSecret) => expires_at === null || expires_at > Date.now() / 1000;

export interface SecretChange {
  earlier: readonly SealedSecret[];
  /** Whether the last one goes on beside it for a day. */
  keepEarlier: boolean;
  /** The request that asks, where it may come again: one that it made before is replaced, as nobody has seen that. */
  madeBy: string | undefined;
}

/** A new one, in the clear for this once, and the row's secrets with it. Of earlier ones only the last is kept beside it. */
export function addSecret(endpoint: Endpoint, sealer: Sealer, { earlier, keepEarlier, madeBy }: SecretChange) {
  const secret = newSecret();
  const expires_at = Math.floor(Date.now() / 1000) + overlapSeconds;
  const seen = earlier.filter(({ made_by }) => madeBy === undefined || made_by !== madeBy);
  const [last] = keepEarlier ? seen : [];
  const sealed = sealer.seal(secret, purposeOf(endpoint));
  const current: SealedSecret = { sealed, expires_at: null, ...(madeBy && { made_by: madeBy }) };
  return { secret, secrets: [current, ...(last ? [{ ...last, expires_at }] : [])] };
}

/** Those that sign now, in the clear. */
export function openSecrets(endpoint: Endpoint & { secrets: readonly SealedSecret[] }, sealer: Sealer): string[] {
  return endpoint.secrets.filter(isLive).map(({ sealed }) => sealer.open(sealed, purposeOf(endpoint)));
}
