/** Where sessions run: what is chosen, and what is said where it is not there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { add, input, toOnnx } from "../../../../shared/engine/index.ts";
import { DeviceError, startDevice } from "../../../../shared/engine/runtime/device.ts";
import { cudaRefusal, type Machine, whatCudaLacks } from "../../../../shared/engine/runtime/deviceChoice.ts";
import { createSession, SessionError } from "../../../../shared/engine/runtime/session.ts";
import { numbers, tensor } from "../run.ts";

const x = input("x", [2]);
const model = toOnnx({ outputs: { sum: add(x, x) } });
const machine = (platform: string, ...files: string[]): Machine => {
  return { platform, libraries: "/ort", exists: (path) => files.includes(path) };
};
const libraries = ["/ort/libonnxruntime_providers_shared.so", "/ort/libonnxruntime_providers_cuda.so"];
const driver = "/proc/driver/nvidia/version";

describe("what CUDA lacks", () => {
  const cases: [string, Machine, RegExp[]][] = [
    ["nothing", machine("linux/x64", ...libraries, driver), []],
    ["nothing, inside Windows", machine("linux/x64", ...libraries, "/usr/lib/wsl/lib/libcuda.so.1"), []],
    ["the library", machine("linux/x64", driver), [/^the provider library \(.*onnxruntime-node-install=cuda12/]],
    ["half the library", machine("linux/x64", libraries[0]!, driver), [/^the provider library/]],
    ["the driver", machine("linux/x64", ...libraries), [/^the NVIDIA driver \(install it on the host/]],
    ["everything", machine("darwin/arm64"), [/^Linux on x64/, /^the provider library/, /^the NVIDIA driver/]],
  ];
  for (const [name, shown, expected] of cases) {
    it(`is told: ${name}`, () => {
      const found = whatCudaLacks(shown);
      assert.equal(found.length, expected.length, found.join("; "));
      for (const [i, pattern] of expected.entries()) assert.match(found[i]!, pattern);
      assert.equal(cudaRefusal(shown) === undefined, expected.length === 0);
    });
  }
});

describe("a session", () => {
  it("starts on what `auto` finds", async () => {
    const session = await createSession(model, { device: "auto" });
    assert.deepEqual(numbers((await session.run({ x: tensor([2], [1, 2]) })).sum), [2, 4]);
    await session.release();
  });

  it("on CUDA by name names what is missing, in this process and before a device is started", async (t) => {
    if (whatCudaLacks().length === 0) return t.skip("CUDA is there");
    const says = /^CUDA is not available here\. Missing: .*(provider library|NVIDIA driver|Linux on x64)/;
    await assert.rejects(
      createSession(model, { device: "cuda" }),
      (error) => error instanceof SessionError && says.test(error.message),
    );
    assert.throws(
      () => startDevice({ threads: 1, device: "cuda" }),
      (error) => error instanceof DeviceError && says.test(error.message),
    );
  });
});
