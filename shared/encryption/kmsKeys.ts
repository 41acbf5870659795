/** Organizations' keys in AWS KMS, one KMS key for each version; their bytes never leave it. */
import { KeyGone, type KeyProvider, KeyUnavailable } from "./keyProvider.ts";

/** KMS's shortest; from the first second on the key does nothing any more. */
const pendingDays = 7;

/** It answers within milliseconds, and requests wait for it. */
const patience = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
};

/** What KMS says of a key that is destroyed. One that is pending may yet be taken back. */
const isGone = (error: unknown) => (error as Error).name === "NotFoundException";
/** What it says of what was asked, whatever the key. Anything else, a broken line too, is of the key or of KMS, and may pass. */
const faults = [
  "InvalidCiphertextException",
  "IncorrectKeyException",
  "InvalidKeyUsageException",
  "ValidationException",
];

/** `deployment` is the tag by which policies and people tell these keys from others. */
export function createKmsKeys(deployment: string): KeyProvider {
  // Loaded where it is used: a function that seals nothing starts without it.
  const loaded = import("@aws-sdk/client-kms").then((sdk) => ({ sdk, client: new sdk.KMSClient(patience) }));
  loaded.catch(() => {});

  async function ask<Answer>(name: string, send: (aws: Awaited<typeof loaded>) => Promise<Answer>): Promise<Answer> {
    try {
      return await send(await loaded);
    } catch (error) {
      if (isGone(error)) throw new KeyGone(name, error);
      throw faults.includes((error as Error).name) ? error : new KeyUnavailable(name, error);
    }
  }
  const bytesOf = (bytes: Uint8Array | undefined, name: string): Buffer => {
    if (!bytes) throw new Error(`KMS answered without bytes for ${name}`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };

  return {
    async create(organization, version) {
      const tags = { millrace: deployment, organization, version: String(version) };
      const input = {
        Description: `Millrace ${deployment}: ${organization}, version ${version}`,
        Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      };
      const { KeyMetadata } = await ask(`${organization}/${version}`, (aws) =>
        aws.client.send(new aws.sdk.CreateKeyCommand(input)),
      );
      if (!KeyMetadata?.Arn) throw new Error(`KMS made no key for ${organization}`);
      return KeyMetadata.Arn;
    },
    generate: (name, EncryptionContext) =>
      ask(name, async ({ sdk, client }) => {
        const input = { KeyId: name, NumberOfBytes: 32, EncryptionContext };
        const { Plaintext, CiphertextBlob } = await client.send(new sdk.GenerateDataKeyCommand(input));
        return { plain: bytesOf(Plaintext, name), wrapped: bytesOf(CiphertextBlob, name) };
      }),
    unwrap: (name, CiphertextBlob, EncryptionContext) =>
      ask(name, async ({ sdk, client }) => {
        const input = { KeyId: name, CiphertextBlob, EncryptionContext };
        return bytesOf((await client.send(new sdk.DecryptCommand(input))).Plaintext, name);
      }),
    destroy: (name) =>
      ask(name, async ({ sdk, client }) => {
        const input = { KeyId: name, PendingWindowInDays: pendingDays };
        await client.send(new sdk.ScheduleKeyDeletionCommand(input));
      }).catch((error) => {
        const isPending = /pending deletion/.test(error.message);
        if (!isPending && !(error instanceof KeyGone)) throw error;
      }),
  };
}
