/** Message attributes on the wire: their size, their digest, and which of them a receiver asked for. */
import { createHash } from "node:crypto";
import { invalidValue } from "./errors.ts";

/** As in JSON: binary values are base64. */
export type MessageAttribute = { DataType: string; StringValue?: string; BinaryValue?: string };
export type MessageAttributes = Record<string, MessageAttribute>;

/** Under which the trace header is kept among a message's own attributes: none of those may begin so. */
export const traceAttribute = "AWS.TraceHeader";

export function md5(data: string | Buffer): string {
  return createHash("md5").update(data).digest("hex");
}

function valueBytes(attribute: MessageAttribute): Buffer {
  return attribute.BinaryValue !== undefined
    ? Buffer.from(attribute.BinaryValue, "base64")
    : Buffer.from(attribute.StringValue ?? "");
}

/** What attributes add to a message's size: names, types and values. */
export function attributesSize(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce(
    (total, [name, attribute]) =>
      total + Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + valueBytes(attribute).length,
    0,
  );
}

/** Throws InvalidParameterValue. */
export function checkAttributes(attributes: MessageAttributes): void {
  const entries = Object.entries(attributes);
  if (entries.length > 10) throw invalidValue("Number of message attributes exceeds the allowed maximum [10].");
  for (const [name, { DataType, StringValue, BinaryValue }] of entries) {
    if (!/^[\w.-]{1,256}$/.test(name)) throw invalidValue(`The message attribute name '${name}' is invalid.`);
    const binary = /^Binary(\..+)?$/.test(DataType);
    if (!binary && !/^(String|Number)(\..+)?$/.test(DataType)) {
      throw invalidValue(`The message attribute '${name}' has an invalid message attribute type, '${DataType}'.`);
    }
    if (!(binary ? BinaryValue : StringValue))
      throw invalidValue(`The message attribute '${name}' must contain a value.`);
  }
}

/** The digest clients verify: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html */
export function attributesMd5(attributes: MessageAttributes): string {
  const pieces: Buffer[] = [];
  const add = (data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    pieces.push(length, data);
  };
  for (const [name, attribute] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(Buffer.from(name));
    add(Buffer.from(attribute.DataType));
    pieces.push(Buffer.from([attribute.BinaryValue === undefined ? 1 : 2]));
    add(valueBytes(attribute));
  }
  return md5(Buffer.concat(pieces));
}

/** `wanted` holds names, `All`, or prefixes such as `trace.*`. */
export function selectAttributes(attributes: MessageAttributes, wanted: string[]): MessageAttributes {
  const matches = (name: string) =>
    wanted.some(
      (want) => want === "All" || want === name || (want.endsWith(".*") && name.startsWith(want.slice(0, -2))),
    );
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => matches(name)));
}
