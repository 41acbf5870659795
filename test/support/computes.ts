/** What runs in a deployment, with the environment that its template gives it. */
import type { Properties, Synthesised } from "./stacks.ts";

export interface Compute {
  id: string;
  environment: Record<string, Properties>;
}

/** Containers and functions of ours; a `SECRET_OF_NAME` becomes NAME when the function starts. */
export function computes({ ofType }: Synthesised): Compute[] {
  const functions = ofType("AWS::Lambda::Function")
    .filter(({ Properties }) => Properties.Environment?.Variables.MILLRACE_TABLE)
    .map(({ id, Properties }) => ({ id, environment: Properties.Environment.Variables }));
  const containers = ofType("AWS::ECS::TaskDefinition").flatMap(({ id, Properties }) =>
    Properties.ContainerDefinitions.slice(0, 1).map(({ Environment = [], Secrets = [] }: Properties) => ({
      id,
      environment: Object.fromEntries([...Environment, ...Secrets].map(({ Name, Value }) => [Name, Value ?? {}])),
    })),
  );
  return [...functions, ...containers].map(({ id, environment }) => {
    const entries = Object.entries(environment).map(([name, value]) => [name.replace(/^SECRET_OF_/, ""), value]);
    return { id, environment: Object.fromEntries(entries) };
  });
}

/** What is known at a deployment only is some URL here, and what is secret some key. */
export function asDeployed(environment: Record<string, Properties>): Record<string, string> {
  const stand = (name: string) => (name === "MILLRACE_SECRET_KEYS" ? "a".repeat(43) : "https://example.com/queue");
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === "string" ? value : stand(name)]));
}
