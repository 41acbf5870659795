/** Multipart bodies piece by piece, for what `FormData` cannot do: order, broken parts, and more than fits in memory. */

export const multipartType = "multipart/form-data; boundary=edge";

export const field = (name: string, value: string) =>
  `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

export const fileHead = (filename = "rows.jsonl", name = "file") =>
  `--edge\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: text/plain\r\n\r\n`;

export const file = (content: string, filename?: string, name?: string) => `${fileHead(filename, name)}${content}\r\n`;

export const end = "--edge--\r\n";

/** A stream of a file of so many bytes, with its purpose behind it. */
export function streamed(bytes: number): ReadableStream<Uint8Array> {
  const line = Buffer.from(`${"x".repeat(1023)}\n`);
  const chunk = Buffer.concat(Array.from({ length: 64 }, () => line));
  async function* body() {
    yield Buffer.from(fileHead());
    for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk.subarray(0, bytes - sent);
    yield Buffer.from(`\r\n${field("purpose", "fine-tune")}${end}`);
  }
  return ReadableStream.from(body());
}
