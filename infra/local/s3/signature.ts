/** Signature version 4, as S3 checks it: on presigned URLs, on signed headers, and on the policies of browser forms. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../credentials.ts";
import { S3Error } from "./errors.ts";
import type { S3Request } from "./request.ts";

type Claim = {
  /** `key/date/region/service/aws4_request` */
  credential: string;
  signedHeaders: string[];
  signature: string;
  /** As `20261122T061610Z`. */
  date: string;
  payloadHash: string;
};

const algorithm = "AWS4-HMAC-SHA256";

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Throws InvalidAccessKeyId or SignatureDoesNotMatch. */
export function verifySignature(credentials: Credentials, credential: string, text: string, signature: string): void {
  const [accessKeyId, ...scope] = credential.split("/");
  if (accessKeyId !== credentials.accessKeyId) throw new S3Error("InvalidAccessKeyId");
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const expected = hmac(key, text);
  const given = Buffer.from(signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new S3Error("SignatureDoesNotMatch");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
function stringToSign(request: S3Request, claim: Claim): string {
  const sent = request.stream.headers;
  const headers = claim.signedHeaders.map(
    (name) =>
      `${name}:${String(sent[name] ?? "")
        .trim()
        .replace(/ +/g, " ")}\n`,
  );
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    headers.join(""),
    claim.signedHeaders.join(";"),
    claim.payloadHash,
  ].join("\n");
  const scope = claim.credential.split("/").slice(1).join("/");
  return [algorithm, claim.date, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
}

function presignedClaim({ query, stream }: S3Request): Claim {
  const parameter = (name: string) => query.get(`X-Amz-${name}`) ?? "";
  const date = parameter("Date");
  const signedAt = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  const expires = signedAt + Number(parameter("Expires")) * 1000;
  if (!(Date.now() <= expires)) throw new S3Error("AccessDenied", "Request has expired");
  const signedHeaders = parameter("SignedHeaders").split(";");
  const unsigned = Object.keys(stream.headers).find(
    (name) => name.startsWith("x-amz-") && !signedHeaders.includes(name),
  );
  if (unsigned) {
    throw new S3Error("AccessDenied", `There were headers present in the request which were not signed: ${unsigned}`);
  }
  const payloadHash = parameter("Content-Sha256") || "UNSIGNED-PAYLOAD";
  return { credential: parameter("Credential"), signedHeaders, signature: parameter("Signature"), date, payloadHash };
}

function headerClaim(authorization: string, { headers }: S3Request): Claim {
  const field = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? "";
  return {
    credential: field("Credential"),
    signedHeaders: field("SignedHeaders").split(";"),
    signature: field("Signature"),
    date: headers["x-amz-date"] ?? "",
    payloadHash: headers["x-amz-content-sha256"] ?? "",
  };
}

/** Throws a 403 unless the request is signed with the local key pair, either way. */
export function authenticate(request: S3Request, credentials: Credentials): void {
  const authorization = request.headers.authorization;
  const presigned = request.query.has("X-Amz-Signature");
  if (!presigned && !authorization?.startsWith(algorithm)) throw new S3Error("AccessDenied");
  const claim = presigned ? presignedClaim(request) : headerClaim(authorization ?? "", request);
  verifySignature(credentials, claim.credential, stringToSign(request, claim), claim.signature);
}
