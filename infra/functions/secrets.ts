/** Variables of the environment whose values are secrets: `SECRET_OF_NAME` says where NAME's value is kept. */
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

export const secretPrefix = "SECRET_OF_";

type Environment = Record<string, string | undefined>;

/** Sets NAME wherever there is a SECRET_OF_NAME. */
export async function fetchSecrets(environment: Environment, client = new SecretsManagerClient({})): Promise<void> {
  const names = Object.keys(environment).filter((name) => name.startsWith(secretPrefix));
  await Promise.all(
    names.map(async (name) => {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: environment[name] }));
      if (SecretString === undefined) throw new Error(`The secret ${environment[name]} of ${name} has no text`);
      environment[name.slice(secretPrefix.length)] = SecretString;
    }),
  );
}
