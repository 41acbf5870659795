/** Where organizations' keys are kept: outside table and bucket, so that no copy of those opens anything once a key is gone. */

/** What a wrapped key is bound to; it opens with the very same alone. */
export type Binding = Record<string, string>;

export interface WrappedKey {
  /** 32 bytes. */
  plain: Buffer;
  wrapped: Buffer;
}

export interface KeyProvider {
  /** Makes a key and returns its name. */
  create(organization: string, version: number): Promise<string>;
  /** 32 random bytes, as they are and as only that key opens them. All throw KeyUnavailable where it cannot be used for now. */
  generate(name: string, binding: Binding): Promise<WrappedKey>;
  /** Throws KeyGone where there is no such key any more, and where what is wrapped was changed. */
  unwrap(name: string, wrapped: Buffer, binding: Binding): Promise<Buffer>;
  /** For good. One that is gone already is no error. */
  destroy(name: string): Promise<void>;
}

/** The key was destroyed. */
export class KeyGone extends Error {
  constructor(name: string, cause?: unknown) {
    super(`The key ${name} is gone`, { cause });
    this.name = "KeyGone";
  }
}

/** The key is there, but nobody may use it for now: it is disabled, denied, about to be destroyed, or out of reach. */
export class KeyUnavailable extends Error {
  constructor(name: string, cause: unknown) {
    const { name: kind, message } = cause as Error;
    super(`The key ${name} cannot be used: ${kind}: ${message}`, { cause });
    this.name = "KeyUnavailable";
  }
}

export interface EncryptionSettings {
  provider: "file" | "kms";
  /** Of `file` a directory, of `kms` the deployment's name, with which its keys are tagged. */
  at: string;
}

/** `file:/directory` or `kms:name`; undefined: neither. */
export function parseEncryption(text: string): EncryptionSettings | undefined {
  const [, provider, at] = /^(file|kms):(.+)$/s.exec(text) ?? [];
  return provider && at ? { provider: provider as EncryptionSettings["provider"], at } : undefined;
}
