/** AWS KMS on loopback, as far as organizations' keys need it: its JSON protocol, spoken to by the real client. */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import { AwsJsonError, type Call, type JsonObject, jsonHandler } from "../../infra/local/awsJson.ts";
import { listen } from "../../infra/local/listen.ts";

interface Key {
  material: Buffer;
  /** `Denied`: by a policy; `Unreachable`: its store does not answer. */
  state: "Enabled" | "Disabled" | "PendingDeletion" | "Denied" | "Unreachable";
  tags: Record<string, string>;
}

export interface KmsServer {
  url: string;
  /** By ARN. */
  keys: Map<string, Key>;
  /** Names of operations, as they were asked for. */
  calls: string[];
  close(): Promise<void>;
}

type Operation = (input: JsonObject, keys: Map<string, Key>) => JsonObject;

const arnOf = (id: string) => `arn:aws:kms:us-east-1:000000000000:key/${id}`;
const bound = (context: unknown) => Buffer.from(JSON.stringify(Object.entries((context ?? {}) as object).sort()));

function usable(keys: Map<string, Key>, id: unknown): Key {
  const key = keys.get(String(id));
  if (!key) throw new AwsJsonError("NotFoundException", `Key '${id}' does not exist`);
  if (key.state !== "Enabled") throw refusals[key.state](String(id));
  return key;
}

const refusals: Record<Exclude<Key["state"], "Enabled">, (id: string) => AwsJsonError> = {
  Disabled: (id) => new AwsJsonError("DisabledException", `${id} is disabled.`),
  PendingDeletion: (id) => new AwsJsonError("KMSInvalidStateException", `${id} is pending deletion.`),
  Denied: (id) => new AwsJsonError("AccessDeniedException", `User is not authorized to perform: kms:Decrypt on ${id}`),
  Unreachable: (id) => new AwsJsonError("KMSInvalidStateException", `${id} is unavailable.`),
};

/** A ciphertext names its key, as KMS's own do. */
function encrypt(id: string, { material }: Key, plain: Buffer, context: unknown): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", material, nonce, { authTagLength: 16 }).setAAD(bound(context));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from(`${id}\n`), nonce, cipher.getAuthTag(), sealed]);
}

const operations: Record<string, Operation> = {
  CreateKey({ Tags = [] }, keys) {
    const arn = arnOf(randomUUID());
    const tags = (Tags as { TagKey: string; TagValue: string }[]).map(({ TagKey, TagValue }) => [TagKey, TagValue]);
    keys.set(arn, { material: randomBytes(32), state: "Enabled", tags: Object.fromEntries(tags) });
    return { KeyMetadata: { KeyId: arn.split("/")[1], Arn: arn, KeyState: "Enabled" } };
  },
  GenerateDataKey({ KeyId, NumberOfBytes, EncryptionContext }, keys) {
    const plain = randomBytes(Number(NumberOfBytes));
    const sealed = encrypt(String(KeyId), usable(keys, KeyId), plain, EncryptionContext);
    return { KeyId, Plaintext: plain.toString("base64"), CiphertextBlob: sealed.toString("base64") };
  },
  Decrypt({ KeyId, CiphertextBlob, EncryptionContext }, keys) {
    const bytes = Buffer.from(String(CiphertextBlob), "base64");
    const end = bytes.indexOf("\n");
    const named = bytes.subarray(0, end).toString();
    if (KeyId !== undefined && KeyId !== named) throw new AwsJsonError("IncorrectKeyException", "Another key's.");
    const [nonce, tag, sealed] = [bytes.subarray(end + 1, end + 13), bytes.subarray(end + 13, end + 29)].concat([
      bytes.subarray(end + 29),
    ]);
    const decipher = createDecipheriv("aes-256-gcm", usable(keys, named).material, nonce!, { authTagLength: 16 })
      .setAAD(bound(EncryptionContext))
      .setAuthTag(tag!);
    try {
      const plain = Buffer.concat([decipher.update(sealed!), decipher.final()]);
      return { KeyId: named, Plaintext: plain.toString("base64") };
    } catch {
      throw new AwsJsonError("InvalidCiphertextException", "");
    }
  },
  ScheduleKeyDeletion({ KeyId, PendingWindowInDays }, keys) {
    const days = Number(PendingWindowInDays);
    if (days < 7 || days > 30) throw new AwsJsonError("ValidationException", "PendingWindowInDays is 7 to 30.");
    const key = keys.get(String(KeyId));
    if (!key) throw new AwsJsonError("NotFoundException", `Key '${KeyId}' does not exist`);
    if (key.state === "PendingDeletion") throw refusals.PendingDeletion(String(KeyId));
    key.state = "PendingDeletion";
    return { KeyId, KeyState: "PendingDeletion", PendingWindowInDays: days };
  },
};

export async function startKms(): Promise<KmsServer> {
  const keys = new Map<string, Key>();
  const calls: string[] = [];
  const dispatch = ({ operation, input }: Call) => {
    calls.push(operation);
    const run = operations[operation];
    if (!run) throw new AwsJsonError("UnknownOperationException", operation);
    return run(input, keys);
  };
  const { url, close } = await listen(jsonHandler(dispatch), 0);
  return { url, keys, calls, close };
}
