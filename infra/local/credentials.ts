/** The one key pair that the local cloud knows. It protects nothing: it makes clients sign, as on AWS. */
export type Credentials = { accessKeyId: string; secretAccessKey: string };

export const localCredentials: Credentials = { accessKeyId: "local", secretAccessKey: "local-secret-access-key" };
export const localRegion = "us-east-1";
export const localAccount = "000000000000";
