/** A model host that answers with no model whose organization's key is deleted, though it may still have it in memory. */
import type { ModelHost } from "../serving/host.ts";
import { keyDeleted, projectOf, type Sealing } from "./sealing.ts";

interface Asked {
  created: number;
  project_id?: string;
  files?: readonly { object_key: string }[];
}

/** Undefined for a base that is the deployment's own. */
const ownerOf = ({ project_id, files }: Asked) => project_id ?? (files?.[0] && projectOf(files[0].object_key));

export function guardHost(host: ModelHost, sealing: Pick<Sealing, "isReadable"> | undefined): ModelHost {
  if (!sealing) return host;
  const guarded =
    <Model extends Asked, Rest extends unknown[], Answer>(ask: (model: Model, ...rest: Rest) => Promise<Answer>) =>
    async (model: Model, ...rest: Rest): Promise<Answer> => {
      const owner = ownerOf(model);
      if (owner !== undefined && !(await sealing.isReadable(owner, model.created))) throw keyDeleted(undefined);
      return ask(model, ...rest);
    };
  return {
    ...host,
    classify: guarded(host.classify),
    embed: guarded(host.embed),
    generate: guarded(host.generate),
    infer: guarded(host.infer),
    attribute: guarded(host.attribute),
  };
}
