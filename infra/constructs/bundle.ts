/**
 * What a function is shipped as: its entry and the programs it starts by file name, each one module, and the files that
 * they read. `node infra/constructs/bundle.ts ENTRY DIRECTORY [PLATFORM [PATH …]]` writes it, with files of the repository alongside;
 * a platform, such as `linux/arm64`, lets ONNX Runtime in.
 */
import { cpSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Packages that are read as files at run time. */
const readPackages: Record<string, readonly string[]> = {
  "swagger-ui-dist": ["package.json", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"],
};
const nativeRuntime = "onnxruntime-node";

export interface Bundle {
  /** Modules of ours and others that came in, relative to the repository. */
  inputs: string[];
  /** Of all modules, minified. */
  bytes: number;
}

/** Throws where the native runtime would come in without a `platform`, such as `linux/arm64`, to take it for. */
export async function bundle(entry: string, directory: string, platform?: string): Promise<Bundle> {
  const found = { programs: new Set<string>(), data: new Set<string>(), packages: new Set<string>() };
  const entries = () => [entry, ...found.programs];
  // What a program starts in its turn is known once it was read.
  for (let read = 0; read < entries().length; ) {
    const unread = entries().slice(read);
    read = entries().length;
    await build({ ...modules(unread, found), outdir: directory, write: false });
  }
  const { metafile } = await build({ ...modules(entries(), found), outdir: directory });
  for (const path of found.data) cpSync(path, join(directory, flat(path)));
  for (const name of found.packages) copyPackage(name, directory, readPackages[name]);
  const outputs = Object.entries(metafile.outputs);
  if (outputs.some(([, { imports }]) => imports.some(({ path }) => path === nativeRuntime))) {
    if (!platform) throw new Error(`${entry} reaches ${nativeRuntime}, and is not to: the function is to stay light`);
    copyRuntime(directory, platform);
  }
  const bytes = outputs.reduce((sum, [, output]) => sum + output.bytes, 0);
  return { inputs: Object.keys(metafile.inputs), bytes };
}

type Found = Record<"programs" | "data" | "packages", Set<string>>;

/** CommonJS modules among the dependencies ask for Node's own by `require`. */
const banner = 'import{createRequire as ownRequire}from"node:module";const require=ownRequire(import.meta.url);';

function modules(entries: string[], found: Found) {
  return {
    absWorkingDir: root,
    entryPoints: entries.map((path, index) => ({ in: resolve(root, path), out: index ? flat(path, "") : "index" })),
    ...{ bundle: true, splitting: true, format: "esm", platform: "node", target: "node24", metafile: true },
    ...{ minifySyntax: true, minifyWhitespace: true, legalComments: "none", logLevel: "warning" },
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    external: [nativeRuntime],
    banner: { js: banner },
    plugins: [fileNames(found)],
  } as const satisfies BuildOptions;
}

const ofThisFile = /new URL\("(\.{1,2}\/[\w./-]+\.(\w+))", import\.meta\.url\)/g;
const ofPackage = /import\.meta\.resolve\(`([\w-]+)\//g;

/** Modules are put together in one directory: names of files beside one become names in there. */
function fileNames(found: Found): Plugin {
  return {
    name: "file names",
    setup({ onLoad }) {
      onLoad({ filter: /\/(shared|api|workers|infra)\/.*\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        for (const [, name] of source.matchAll(ofPackage)) found.packages.add(name!);
        const contents = source.replaceAll(ofThisFile, (_, name: string, extension: string) => {
          const target = resolve(dirname(path), name);
          if (extension === "ts") found.programs.add(relative(root, target));
          else found.data.add(target);
          return `new URL("./${extension === "ts" ? flat(target, ".mjs") : flat(target)}", import.meta.url)`;
        });
        return { contents, loader: "ts" };
      });
    },
  };
}

/** `shared/drift/thread.ts` becomes `shared-drift-thread.mjs`. */
function flat(path: string, extension?: string): string {
  const name = relative(root, resolve(root, path)).replaceAll("/", "-");
  return extension === undefined ? name : name.replace(/\.ts$/, extension);
}

function copyPackage(name: string, directory: string, files: readonly string[] | undefined): void {
  if (!files) throw new Error(`Say which files of ${name} are read at run time`);
  const from = join(root, "node_modules", name);
  for (const file of files) cpSync(join(from, file), join(directory, "node_modules", name, file), { recursive: true });
}

/** A tenth of what npm installs: one platform, and no headers, types or sources. */
function copyRuntime(directory: string, platform: string): void {
  copyPackage(nativeRuntime, directory, ["package.json", "dist", `bin/napi-v6/${platform}`]);
  copyPackage("onnxruntime-common", directory, ["package.json", "dist/cjs"]);
}

if (import.meta.main) {
  const [entry, directory, platform, ...alongside] = process.argv.slice(2);
  if (!entry || !directory)
    throw new Error("Usage: node infra/constructs/bundle.ts ENTRY DIRECTORY [PLATFORM [PATH …]]");
  await bundle(entry, resolve(directory), platform || undefined);
  for (const path of alongside) cpSync(join(root, path), join(directory, path), { recursive: true });
}
