/** The deployment that is examined: how it is reached, what the checks made there, and what is taken away in the end. */
import OpenAI from "openai";

export interface Keys {
  /** Of the project that everything is made in. */
  key: string;
  /** Makes a second project; without it `otherKey` is of one. */
  adminKey?: string | undefined;
  otherKey?: string | undefined;
}

export interface Settings extends Keys {
  /** Such as `https://api.example.com/v1`. */
  baseUrl: string;
  /** Of the longest wait: a GPU may have to be started. */
  patienceSeconds: number;
  /** Where webhooks can go, where this machine cannot be reached; what came there is read from the delivery log. */
  webhookUrl?: string | undefined;
  /** From a job's end until it was told. */
  webhookPatienceSeconds: number;
  /** Questions asked one after the other for the figures of latency. */
  samples: number;
}

/** What later checks need of earlier ones. */
export interface Made {
  file?: string;
  job?: string;
  model?: string;
  /** When the job was asked for, in milliseconds. */
  askedAt?: number;
}

export interface Patient {
  settings: Settings;
  /** With the project's key. */
  client: OpenAI;
  made: Made;
  /** A client of another project, which is made if need be; undefined where no key allows it. */
  other(): Promise<OpenAI | undefined>;
  admin(): OpenAI | undefined;
  /** A plain request, for what no SDK would send. */
  ask(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  /** To be done in the end, the last first. */
  later(what: string, work: () => Promise<unknown>): void;
  /** Does it, and returns what could not be done. */
  cleanUp(): Promise<string[]>;
}

export function meet(settings: Settings): Patient {
  const { baseUrl: baseURL, key, adminKey, otherKey } = settings;
  const connect = (apiKey: string) => new OpenAI({ baseURL, apiKey, maxRetries: 2 });
  const leftToDo: { what: string; work: () => Promise<unknown> }[] = [];
  const later: Patient["later"] = (what, work) => void leftToDo.unshift({ what, work });
  const admin = () =>
    adminKey === undefined ? undefined : new OpenAI({ baseURL, adminAPIKey: adminKey, apiKey: key });
  let other: Promise<OpenAI | undefined> | undefined;
  const makeOther = async () => {
    const owner = admin();
    if (otherKey !== undefined || !owner) return otherKey === undefined ? undefined : connect(otherKey);
    const name = `doctor ${new Date().toISOString()}`;
    const project = await owner.admin.organization.projects.create({ name });
    later("the other project", () => owner.admin.organization.projects.archive(project.id));
    const path = `/organization/projects/${project.id}/api_keys`;
    const made = await owner.post<{ value: string }>(path, {
      body: { name: "doctor" },
      headers: { authorization: `Bearer ${adminKey}` },
    });
    return connect(made.value);
  };
  return {
    settings,
    client: connect(key),
    made: {},
    admin,
    later,
    other: () => (other ??= makeOther()),
    ask(path, { key: own = key, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (own !== null) headers.set("authorization", `Bearer ${own}`);
      return fetch(`${new URL(baseURL).href.replace(/\/v1\/?$/, "")}${path}`, { ...init, headers });
    },
    async cleanUp() {
      const failures: string[] = [];
      for (const { what, work } of leftToDo.splice(0)) {
        await work().catch((error: Error) => failures.push(`${what}: ${error.message}`));
      }
      return failures;
    },
  };
}
