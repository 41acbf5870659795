/** A deployment whose host runs stories260K, for tests of everything that writes. */
import { createModelHost, type ModelHost } from "../../shared/serving/host.ts";
import { type Deployment, deploy } from "./deployment.ts";
import { addStories } from "./storiesBase.ts";

const chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}";
const bases = {
  /** As it is. */
  stories: {},
  /** Its template writes the messages one after another. */
  "stories-chat": { "tokenizer_config.json": { chat_template } },
};

export async function deployStories(base: keyof typeof bases): Promise<Deployment> {
  // The host reads from the deployment's own bucket, which comes into being with it.
  const host = {} as ModelHost;
  const deployment = await deploy({ host });
  Object.assign(host, createModelHost(deployment.stores.objects, { threads: 1 }));
  await addStories(deployment.stores, base, bases[base]);
  const close = async () => {
    await deployment.close();
    await host.close();
  };
  return { ...deployment, close };
}
