/** XML in and out, in the shapes that S3's protocol uses. */
import { XMLParser } from "fast-xml-parser";
import { S3Error } from "./errors.ts";

/** What an element may hold: text, child elements, or a list (the element repeated). `undefined` leaves it out. */
export type XmlContent = string | number | boolean | undefined | { [name: string]: XmlContent } | XmlContent[];

/** Elements that may repeat: always parsed as arrays, also when there is one. */
const repeated = new Set([
  "AllowedHeader",
  "AllowedMethod",
  "AllowedOrigin",
  "CORSRule",
  "ExposeHeader",
  "Object",
  "Part",
  "Tag",
]);

const parser = new XMLParser({
  trimValues: false,
  parseTagValue: false,
  ignoreDeclaration: true,
  htmlEntities: true,
  isArray: (name) => repeated.has(name),
});

/** The content of the root element. Throws MalformedXML when there is no such root. */
export function parseXml<T>(text: string, root: string): T {
  let document: Record<string, unknown>;
  try {
    document = parser.parse(text);
  } catch {
    throw new S3Error("MalformedXML");
  }
  const content = document[root];
  if (content === undefined) throw new S3Error("MalformedXML", `The XML must have a ${root} element at its root.`);
  return (content === "" ? {} : content) as T;
}

function escapeText(text: string): string {
  return text.replace(/[<>&"\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function element(name: string, content: XmlContent): string {
  if (content === undefined) return "";
  if (Array.isArray(content)) return content.map((item) => element(name, item)).join("");
  return `<${name}>${typeof content === "object" ? elements(content) : escapeText(String(content))}</${name}>`;
}

function elements(content: { [name: string]: XmlContent }): string {
  return Object.entries(content)
    .map(([name, child]) => element(name, child))
    .join("");
}

/** A whole document. Errors carry no namespace in S3, everything else does. */
export function writeXml(root: string, content: { [name: string]: XmlContent }): string {
  const namespace = root === "Error" ? "" : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${elements(content)}</${root}>`;
}
