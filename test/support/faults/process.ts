/** The proxies before all three services, as a process of their own: told and asked by IPC, with `FAULTS` as its orders. */
import { planFaults, type Service, services } from "./faults.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";

export interface Orders {
  seed: number;
  share: number;
  targets: Record<Service, string>;
}

export type Told = { share: number } | "counts";

const { seed, share, targets } = JSON.parse(process.env.FAULTS!) as Orders;
const plan = planFaults(seed, share);
const proxies = await Promise.all(
  services.map(async (service) => [service, await startFaultProxy(service, targets[service], plan)] as const),
);
const each = <Value>(of: (proxy: FaultProxy) => Value) =>
  Object.fromEntries(proxies.map(([service, proxy]) => [service, of(proxy)]));

process.on("message", (told: Told) => {
  if (told === "counts") process.send!({ counts: each(({ counts }) => counts) });
  else plan.share = told.share;
});
process.on("disconnect", () => process.exit(0));
process.send!({ urls: each(({ url }) => url) });
