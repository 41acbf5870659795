/** What every ability of the model host works with: the device process, and files on local disk. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, type DeviceOptions, startDevice } from "../engine/runtime/device.ts";
import type { ArgumentOf, FunctionName, ResultOf } from "../engine/runtime/deviceProtocol.ts";
import type { Objects } from "../stores/objects.ts";
import { type BaseFiles, createBaseFiles } from "./baseFiles.ts";
import { createModelFiles, type ModelFiles } from "./modelFiles.ts";
import { createTextEncoders, type TextEncoders } from "./textEncoders.ts";

export interface HostContext {
  /** The device process; started at the first call, and again once it has died. */
  device(): Device;
  /**
   * Calls a function of the device. One that died took nobody's data with it: the same question goes to a new one, once.
   */
  call<Name extends FunctionName>(name: Name, argument: ArgumentOf<Name>): Promise<ResultOf<Name>>;
  bases: BaseFiles;
  encoders: TextEncoders;
  models: ModelFiles;
  close(): Promise<void>;
}

export interface HostContextOptions extends DeviceOptions {
  /** Bytes of model files kept on disk. */
  fileBytes: number;
}

export function createHostContext(objects: Objects, options: HostContextOptions): HostContext {
  const directory = mkdtemp(join(tmpdir(), "millrace-models-"));
  let running: Device | undefined;
  let isClosed = false;
  const device = (): Device => {
    // Whoever is at work when the host closes sees its device die, and must not start another.
    if (isClosed) throw new Error("the model host was closed");
    if (!running?.alive) running = startDevice(options);
    return running;
  };
  const bases = createBaseFiles(
    objects,
    directory.then((path) => join(path, "bases")),
  );
  return {
    device,
    bases,
    encoders: createTextEncoders(bases),
    models: createModelFiles(objects, directory, {
      budgetBytes: options.fileBytes,
      onEvict(artifact) {
        if (running?.alive) running.call("unload", { artifact }).catch(() => {});
      },
    }),
    async call(name, argument) {
      const asked = device();
      try {
        return await asked.call(name, argument);
      } catch (error) {
        if (asked.alive) throw error;
        return await device().call(name, argument);
      }
    },
    async close() {
      isClosed = true;
      running?.kill();
      await rm(await directory, { recursive: true, force: true });
    },
  };
}
