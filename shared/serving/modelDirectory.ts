/** How the directory of a host's models is named: after the process that made it, so that nobody takes it for left. */

const prefix = "millrace-models-";

/** To be followed by what is nobody else's. */
export const modelDirectoryPrefix = (): string => `${prefix}${process.pid}-`;

/** Id of the process; undefined where it is no such directory. */
export function makerOf(name: string): number | undefined {
  const pid = name.startsWith(prefix) ? /^\d+(?=-)/.exec(name.slice(prefix.length))?.[0] : undefined;
  return pid === undefined ? undefined : Number(pid);
}
