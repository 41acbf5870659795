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
  /** 32 random bytes, as they are and as only that key opens them. */
  generate(name: string, binding: Binding): Promise<WrappedKey>;
  /** Throws KeyGone where there is no such key any more, and where what is wrapped was changed. */
  unwrap(name: string, wrapped: Buffer, binding: Binding): Promise<Buffer>;
  /** For good. One that is gone already is no error. */
  destroy(name: string): Promise<void>;
}

/** The key was destroyed, or is about to be. */
export class KeyGone extends Error {
  constructor(name: string, cause?: unknown) {
    super(`The key ${name} is gone`, { cause });
    this.name = "KeyGone";
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
