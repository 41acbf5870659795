/** What every ability of the model host works with: the device process, and files on local disk. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, type DeviceOptions, startDevice } from "../engine/runtime/device.ts";
import type { ArgumentOf, FunctionName, ResultOf } from "../engine/runtime/deviceProtocol.ts";
import type { Objects } from "../stores/objects.ts";
import { type BaseFiles, createBaseFiles } from "./baseFiles.ts";
import type { ServingLimits } from "./limits.ts";
import { modelDirectoryPrefix } from "./modelDirectory.ts";
import { createModelFiles, type ModelFiles } from "./modelFiles.ts";
import { createTextEncoders, type TextEncoders } from "./textEncoders.ts";

export interface HostContext {
  /** The device process; started at the first call, and again once it has died. */
  device(): Device;
  /**
   * Calls a function of the device. One that died took nobody's data with it: the same question goes to a new one, once.
   */
  call<Name extends FunctionName>(name: Name, argument: ArgumentOf<Name>): Promise<ResultOf<Name>>;
  /** The same, on whichever of the host's processes has least to do; the first is `device`. */
  callAny<Name extends FunctionName>(name: Name, argument: ArgumentOf<Name>): Promise<ResultOf<Name>>;
  bases: BaseFiles;
  encoders: TextEncoders;
  models: ModelFiles;
  close(): Promise<void>;
}

/** One process unless told otherwise. */
export type HostContextOptions = DeviceOptions &
  Pick<ServingLimits, "fileBytes"> &
  Partial<Pick<ServingLimits, "processes">>;

interface Place {
  device?: Device;
  /** Calls at work. */
  busy: number;
}

export function createHostContext(objects: Objects, options: HostContextOptions): HostContext {
  const directory = mkdtemp(join(tmpdir(), modelDirectoryPrefix()));
  const places: Place[] = Array.from({ length: options.processes ?? 1 }, () => ({ busy: 0 }));
  const first = places[0]!;
  let isClosed = false;
  const deviceAt = (place: Place): Device => {
    // Whoever is at work when the host closes sees its device die, and must not start another.
    if (isClosed) throw new Error("the model host was closed");
    if (!place.device?.alive) place.device = startDevice({ ...options, givesMemoryBack: true });
    return place.device;
  };
  const callAt = async <Name extends FunctionName>(place: Place, name: Name, argument: ArgumentOf<Name>) => {
    const asked = deviceAt(place);
    place.busy++;
    try {
      return await asked.call(name, argument);
    } catch (error) {
      if (asked.alive) throw error;
      return await deviceAt(place).call(name, argument);
    } finally {
      place.busy--;
    }
  };
  const bases = createBaseFiles(
    objects,
    directory.then((path) => join(path, "bases")),
  );
  return {
    device: () => deviceAt(first),
    bases,
    encoders: createTextEncoders(bases),
    models: createModelFiles(objects, directory, {
      budgetBytes: options.fileBytes,
      onEvict(artifact) {
        if (first.device?.alive) first.device.call("unload", { artifact }).catch(() => {});
      },
    }),
    call: (name, argument) => callAt(first, name, argument),
    callAny(name, argument) {
      const idlest = places.reduce((least, place) => (place.busy < least.busy ? place : least));
      return callAt(idlest, name, argument);
    },
    async close() {
      isClosed = true;
      for (const { device } of places) device?.kill();
      await rm(await directory, { recursive: true, force: true });
    },
  };
}
