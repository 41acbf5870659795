/** Names to addresses without the system's resolver, whose few threads one customer's slow name server could hold up for all. */
import { promises as dns, type LookupAddress } from "node:dns";

export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Milliseconds for a name server's answer, and how often it is asked. */
const patience = { timeout: 2000, tries: 2 };

/** Knows neither the hosts file nor search domains. `servers`: of a test; default: those of the machine. */
export function createResolve(servers?: readonly string[]): Resolve {
  const resolver = new dns.Resolver(patience);
  if (servers) resolver.setServers(servers);
  return async (hostname) => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = [four, six].flatMap((answer, i) => {
      const addresses = answer.status === "fulfilled" ? answer.value : [];
      return addresses.map((address) => ({ address, family: i === 0 ? 4 : 6 }));
    });
    // A name may well have addresses of one family alone.
    if (found.length === 0 && four.status === "rejected") throw four.reason;
    return found;
  };
}

/** By the machine's own means, hosts file and all: for tests and trials. */
export const resolveLocally: Resolve = (hostname) => dns.lookup(hostname, { all: true, verbatim: true });
