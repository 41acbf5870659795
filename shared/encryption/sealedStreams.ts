/**
 * Content sealed as it flows, in the format of the AWS Encryption SDK: frames of AES-256-GCM under a data key of the
 * content's own, which lies in the header as only the organization's key opens it. What the content is of is part of the
 * header, and opens for nothing else; nothing leaves a frame before its tag was checked.
 */
import { type Duplex, PassThrough, type Readable } from "node:stream";
import type { OpenKey } from "./organizationKeys.ts";

/** What content is of: it opens as that alone. */
export type ContentOf = Record<"organization" | "project" | "object", string>;

export interface SealedStreams {
  seal(key: OpenKey, of: ContentOf, plain: Readable): Readable;
  /** Breaks with an error where the content is another's, changed or not whole. */
  open(key: OpenKey, of: ContentOf, sealed: Readable): Readable;
}

/** Of 4 KiB, the SDK's own choice, a core seals 120 MB/s; of these 500. */
const frameBytes = 64 * 1024;

/** Loads the SDK: not before it is needed, as most deployments never do. */
export async function loadSealedStreams(): Promise<SealedStreams> {
  const sdk = await import("@aws-crypto/client-node");
  const client = sdk.buildClient({
    commitmentPolicy: sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: 1,
  });
  // Without a signature: whoever may read may write, too, and a signed message could not be streamed.
  const suiteId = sdk.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  const keyringOf = ({ organization, version, bytes }: OpenKey) =>
    new sdk.RawAesKeyringNode({
      keyNamespace: "millrace",
      keyName: `${organization}/${version}`,
      // The SDK makes it useless when it is done with it.
      unencryptedMasterKey: Uint8Array.from(bytes),
      wrappingSuite: sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });

  return {
    seal(key, of, plain) {
      const options = { suiteId, encryptionContext: { ...of }, frameLength: frameBytes };
      return through(plain, client.encryptStream(keyringOf(key), options));
    },
    open(key, of, sealed) {
      const opener = client.decryptUnsignedMessageStream(keyringOf(key));
      const opened = through(sealed, opener);
      opener.once("MessageHeader", ({ encryptionContext }: { encryptionContext: Partial<ContentOf> }) => {
        const names = Object.keys(of) as (keyof ContentOf)[];
        const other = names.find((name) => encryptionContext[name] !== of[name]);
        if (other) opened.destroy(new Error(`${of.object} holds what was sealed for another ${other}`));
      });
      return opened;
    },
  };
}

/**
 * What comes out of one of the SDK's streams. Whichever side breaks breaks the other, and the SDK's is left alone: one that
 * is destroyed halfway throws where nobody catches.
 */
function through(source: Readable, stream: Duplex): Readable {
  const out = new PassThrough();
  const fail = (error: Error) => out.destroy(error);
  source.once("error", fail);
  source.once("close", () => {
    if (!source.readableEnded) fail(new Error("The content broke off"));
  });
  stream.on("error", fail);
  out.once("close", () => {
    source.unpipe(stream);
    stream.unpipe(out);
    source.destroy();
  });
  source.pipe(stream).pipe(out);
  return out;
}
