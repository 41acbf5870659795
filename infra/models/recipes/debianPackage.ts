/** Data that Debian's packages hold: fetched beside the project when first needed, and not installed. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** The folder with a package's files, fetched below `packages` by `apt-get`, which checks it, if need be. Throws where it cannot. */
export function unpackDebian(packages: string, { name, version }: DebianPackage, tell: (line: string) => void): string {
  const folder = join(packages, `${name}_${version}`);
  if (existsSync(folder)) return folder;
  tell(`fetches Debian's ${name} ${version} into ${folder}`);
  const unfinished = `${folder}.part`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  command("apt-get", ["download", "-qq", `${name}=${version}`], unfinished);
  const [archive] = readdirSync(unfinished);
  command("dpkg-deb", ["--extract", archive!, "files"], unfinished);
  renameSync(join(unfinished, "files"), folder);
  rmSync(unfinished, { recursive: true });
  return folder;
}

function command(name: string, options: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(name, options, { cwd, encoding: "utf8" });
  if (status !== 0) {
    const said = error?.message ?? stderr.trim().split("\n").at(-1);
    throw new Error(`${name} ${options.join(" ")} failed: ${said}`);
  }
}
