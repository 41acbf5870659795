/** The secrets that sign an endpoint's deliveries, as its row keeps them. */
import type { SealedSecret, WebhookEndpointRecord } from "../schemas/webhookEndpoint.ts";
import type { Sealer } from "./sealer.ts";
import { newSecret } from "./signature.ts";

type Endpoint = Pick<WebhookEndpointRecord, "project_id" | "id">;

const overlapSeconds = 24 * 60 * 60;
const purposeOf = ({ project_id, id }: Endpoint) => `webhook:${project_id}:${id}`;
const isLive = ({ expires_at }: SealedSecret) => expires_at === null || expires_at > Date.now() / 1000;

/** A new one, in the clear for this once, and the rows' secrets with it. Of earlier ones only the last is kept beside it. */
export function addSecret(endpoint: Endpoint, earlier: readonly SealedSecret[], keepEarlier: boolean, sealer: Sealer) {
  const secret = newSecret();
  const expires_at = Math.floor(Date.now() / 1000) + overlapSeconds;
  const [last] = keepEarlier ? earlier : [];
  const current: SealedSecret = { sealed: sealer.seal(secret, purposeOf(endpoint)), expires_at: null };
  return { secret, secrets: [current, ...(last ? [{ ...last, expires_at }] : [])] };
}

/** Those that sign now, in the clear. */
export function openSecrets(endpoint: Endpoint & { secrets: readonly SealedSecret[] }, sealer: Sealer): string[] {
  return endpoint.secrets.filter(isLive).map(({ sealed }) => sealer.open(sealed, purposeOf(endpoint)));
}
