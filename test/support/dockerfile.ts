/** Dockerfiles as far as tests read them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Instruction {
  name: string;
  rest: string;
}

export interface Stage {
  name: string;
  base: string;
  instructions: Instruction[];
}

/** Its stages, the last of which is the image. */
export function readDockerfile(path: string): Stage[] {
  const lines = readFileSync(join(root, path), "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const [, base = "", as = ""] = name === "FROM" ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : [];
    if (name === "FROM") stages.push({ name: as, base, instructions: [] });
    else stages.at(-1)?.instructions.push({ name, rest });
  }
  return stages;
}

export const restOf = ({ instructions }: Stage, name: string): string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);

/** What the image sets, by name. */
export function environmentOf(stage: Stage): Record<string, string> {
  const pairs = restOf(stage, "ENV").flatMap((rest) => rest.trim().split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

/** The program of `ENTRYPOINT` or of a health check, behind `node`. */
export function programOf(rest: string | undefined): string {
  const [command, program] = JSON.parse(rest?.slice(rest.indexOf("[")) ?? "[]") as string[];
  if (command !== "node" || program === undefined) throw new Error(`no program of node's: ${rest}`);
  return program;
}
