/** Metrics: declared once, then feedback may be given on them. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import {
  builtInMetrics,
  type CreateMetric,
  type Metric,
  MetricName,
  type MetricRecord,
} from "../../shared/schemas/metric.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Metrics } from "../../shared/stores/metrics.ts";

export interface MetricService {
  /** The same declaration again is the one there is; with other settings it is refused. */
  create(project: Project, metric: CreateMetric): Promise<Metric>;
  get(project: Project, name: string): Promise<Metric>;
  list(project: Project, options: { limit: number; after?: string | undefined }): Promise<Page<Metric>>;
  /** Refused once feedback was given on it. */
  delete(project: Project, name: string): Promise<void>;
}

const settings = ["type", "level", "optimize"] as const;

export function createMetricService(metrics: Metrics): MetricService {
  const get = async (project: Project, name: string): Promise<MetricRecord> => {
    const found = MetricName.safeParse(name).success ? await metrics.get(project.id, name) : undefined;
    if (!found) throw notFound("metric", name);
    return found;
  };
  return {
    get,
    async create(project, { name, description, ...rest }) {
      if ((builtInMetrics as readonly string[]).includes(name)) {
        throw new ApiError("invalid_value", `'${name}' needs no declaration: every project has it.`, { param: "name" });
      }
      const created_at = Math.floor(Date.now() / 1000);
      const fresh: MetricRecord = {
        id: name,
        object: "metric",
        name,
        ...rest,
        description: description ?? null,
        created_at,
        project_id: project.id,
        is_used: false,
      };
      if (await metrics.create(fresh)) return fresh;
      const known = await get(project, name);
      const other = settings.find((setting) => known[setting] !== fresh[setting]);
      if (other) {
        const message = `The metric '${name}' is declared with '${other}' '${known[other]}': it cannot become '${fresh[other]}'.`;
        throw new ApiError("invalid_state", message, { param: other });
      }
      if (description === undefined || fresh.description === known.description) return known;
      await metrics.describe(project.id, name, fresh.description);
      return { ...known, description: fresh.description };
    },
    async list(project, { limit, after }) {
      return toPage(await metrics.list(project.id, { limit: limit + 1, after }), limit);
    },
    async delete(project, name) {
      await get(project, name);
      if (await metrics.delete(project.id, name)) return;
      const message = `The metric '${name}' cannot be deleted: feedback was given on it.`;
      throw new ApiError("invalid_state", message, { param: "name" });
    },
  };
}
