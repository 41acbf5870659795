/** Files in one piece and in parts: the same bytes come back. */
import assert from "node:assert/strict";
import { toFile } from "openai";
import type { Checks } from "../examine.ts";
import { trainingRows } from "../rows.ts";

export const files: Checks = {
  async "a file comes back"({ client, made, later }) {
    const content = trainingRows.map((row) => `${JSON.stringify(row)}\n`).join("");
    const file = await client.files.create({
      file: await toFile(Buffer.from(content), "doctor.jsonl"),
      purpose: "fine-tune",
    });
    later("the file", () => client.files.delete(file.id));
    made.file = file.id;
    assert.equal(await (await client.files.content(file.id)).text(), content, "its content is another");
    const listed = await client.files.list({ limit: 100, order: "desc" });
    assert.ok(
      listed.data.some(({ id }) => id === file.id),
      "it is not in the list",
    );
    return `${file.bytes} bytes`;
  },

  async "a file in parts comes back"({ client, later }) {
    const parts = ["first half, ", "second half"];
    const bytes = parts.join("").length;
    const upload = await client.uploads.create({
      bytes,
      filename: "doctor.txt",
      mime_type: "text/plain",
      purpose: "user_data",
    });
    const ids: string[] = [];
    for (const part of parts) {
      ids.push((await client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(part), "part") })).id);
    }
    const { file } = await client.uploads.complete(upload.id, { part_ids: ids });
    later("the file of parts", () => client.files.delete(file!.id));
    assert.equal(await (await client.files.content(file!.id)).text(), parts.join(""), "its content is another");
    return `${parts.length} parts`;
  },
};
