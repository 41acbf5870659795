/** What a metric takes: of which form its values are, and on what they are given. */
import { ApiError } from "../../shared/errors.ts";
import type { FeedbackValue } from "../../shared/schemas/feedback.ts";
import type { MetricRecord } from "../../shared/schemas/metric.ts";

type Level = MetricRecord["level"];

/** What feedback on a metric is held to. */
export interface Judging {
  name: string;
  type: MetricRecord["type"] | "comment" | "demonstration";
  /** The one of several that is taken where all are named comes first. */
  levels: readonly Level[];
  /** Whether it may be given without a word to the metric's row. */
  isReady: boolean;
}

export const builtIn: Readonly<Record<string, Judging>> = {
  comment: { name: "comment", type: "comment", levels: ["inference", "episode"], isReady: true },
  demonstration: { name: "demonstration", type: "demonstration", levels: ["inference"], isReady: true },
};

export const declared = ({ name, type, level, is_used }: MetricRecord): Judging => {
  return { name, type, levels: [level], isReady: is_used };
};

interface Form {
  takes(value: FeedbackValue): boolean;
  /** From a label, which is always a text; undefined: it is none of these. */
  read(text: string): FeedbackValue | undefined;
  is: string;
}

const words: Record<string, boolean> = { true: true, false: false };

const forms: Record<Judging["type"], Form> = {
  boolean: {
    takes: (value) => typeof value === "boolean",
    read: (text) => (Object.hasOwn(words, text) ? words[text] : undefined),
    is: "true or false",
  },
  float: {
    takes: (value) => typeof value === "number",
    read: (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined),
    is: "a number",
  },
  comment: {
    takes: (value) => typeof value === "string" && value !== "",
    read: (text) => text || undefined,
    is: "a text that is not empty",
  },
  demonstration: {
    takes: (value) => value !== "",
    read: (text) => text || undefined,
    is: "a label, a text or JSON, not empty",
  },
};

const wrongValue = ({ name, type }: Judging, param: string) => {
  return new ApiError("invalid_value", `Invalid value for '${param}': '${name}' takes ${forms[type].is}.`, { param });
};

export function checkValue(judging: Judging, value: FeedbackValue): void {
  if (!forms[judging.type].takes(value)) throw wrongValue(judging, "value");
}

/** `param` is the label. */
export function readLabel(judging: Judging, text: string, param: string): FeedbackValue {
  const value = forms[judging.type].read(text);
  if (value === undefined) throw wrongValue(judging, param);
  return value;
}
