/** What an import came to, for people: on the terminal and as Markdown. The same figures are in its JSON. */
import type { Interval } from "../../shared/statistics/proportions.ts";
import type { Agreed } from "./agreement.ts";
import type { Comparison } from "./comparison.ts";
import type { RunHistory } from "./evals.ts";
import type { Export } from "./folder.ts";
import type { Inferences } from "./inferences.ts";
import type { Outcome } from "./outcome.ts";
import type { Problem } from "./problem.ts";

export interface ImportReport {
  folder: string;
  base_url: string;
  /** Unix time in seconds. */
  created_at: number;
  found: Export["files"];
  files: Outcome[];
  jobs: Outcome[];
  aliases: Outcome[];
  evals: Outcome[];
  eval_runs: RunHistory[];
  inferences: Omit<Inferences, "problems">;
  agreement: Comparison[];
  problems: Problem[];
}

const mostRows = 100;
const mostPairs = 20;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const interval = ({ estimate, lower, upper }: Interval) =>
  `${percent(estimate)} (${percent(lower)} to ${percent(upper)})`;
const shareOf = ({ agreed, asked, share }: Agreed) =>
  share ? `${agreed} of ${asked}, ${interval(share)}` : "none asked";

/** On one line of a table, short. */
function cell(text: string | number | null): string {
  const line = String(text ?? "").replace(/\s+/g, " ");
  return (line.length > 80 ? `${line.slice(0, 79)}…` : line).replaceAll("|", "\\|").toWellFormed();
}

export function toMarkdown(report: ImportReport): string {
  const { found, inferences, agreement, problems } = report;
  return [
    "# Brought over from OpenAI",
    "",
    `From \`${report.folder}\` to ${report.base_url}, ${new Date(report.created_at * 1000).toISOString()}.`,
    "",
    "## What was found",
    "",
    table(
      ["file", "holds"],
      found.map(({ path, holds }) => [path, spellHolds(holds)]),
    ),
    "",
    ...outcomes("Files", report.files),
    ...outcomes("Jobs", report.jobs),
    ...outcomes("Names", report.aliases),
    ...outcomes("Evals", report.evals),
    ...runsOf(report.eval_runs),
    "## Inferences",
    "",
    `${inferences.imported} imported, ${inferences.present} there before.`,
    "",
    ...agreement.flatMap(agreementLines),
    "## What was left out",
    "",
    problems.length
      ? table(
          ["where", "why"],
          problems.map(({ place, message }) => [place, message]),
        )
      : "Nothing.",
    "",
  ].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const line = (cells: readonly (string | number | null)[]) => `| ${cells.map(cell).join(" | ")} |`;
  const more = rows.length > mostRows ? [`\n${rows.length - mostRows} more are in report.json.`] : [];
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.slice(0, mostRows).map(line), ...more].join("\n");
}

const spellHolds = (holds: Export["files"][number]["holds"]) =>
  Object.entries(holds)
    .map(([kind, count]) => `${count} × ${kind.replaceAll("_", " ")}`)
    .join(", ") || "nothing known";

function outcomes(title: string, list: readonly Outcome[]): string[] {
  if (list.length === 0) return [];
  const rows = list.map(({ of, id, state, note }) => [of, id, state, note]);
  return [`## ${title}`, "", table(["there", "here", "", "note"], rows), ""];
}

function runsOf(runs: readonly RunHistory[]): string[] {
  if (runs.length === 0) return [];
  const rows = runs.map(({ id, name, model, status, result_counts: counts }) => {
    return [id, name, model, status, counts && `${counts.passed} of ${counts.total} passed`];
  });
  return ["## What runs of evals came to there", "", table(["run", "name", "model", "status", "result"], rows), ""];
}

function agreementLines(comparison: Comparison): string[] {
  const { old, model, kappa, unlearned, unasked, classes, disagreements } = comparison;
  return [
    `## Agreement: ${old}`,
    "",
    `\`${model}\` was asked what \`${old}\` was asked, by the old name, and answered the same in ${shareOf(comparison)}.`,
    `Cohen's kappa: ${kappa === null ? "none, as chance alone would agree on everything" : kappa.toFixed(3)}.`,
    unlearned
      ? `Of texts that it did not learn from: ${shareOf(unlearned)}.`
      : "What it learned from is not known: some of these texts may be among it.",
    ...(unasked ? [`${unasked} recorded completions were not compared.`] : []),
    "Intervals are Wilson's, 95 %. Agreement is not accuracy: the old model may have been wrong.",
    "",
    table(
      ["answered there", "asked", "the same here", "share", "answered here"],
      classes.map(({ label, asked, agreed, share, answered }) => [
        label,
        asked,
        agreed,
        share && interval(share),
        answered,
      ]),
    ),
    "",
    ...(disagreements.length ? ["Most frequent disagreements:", "", pairsOf(comparison), ""] : []),
  ];
}

function pairsOf({ disagreements }: Comparison): string {
  return table(
    ["there", "here", "times", "such as"],
    disagreements.slice(0, mostPairs).map(({ recorded, answered, count, examples }) => {
      return [recorded, answered, count, examples[0]!.text];
    }),
  );
}

/** A line for each kind of thing, and the problems that a terminal has room for. */
export function toTerminal(report: ImportReport): string {
  const counted = (name: string, list: readonly Outcome[]) => {
    if (list.length === 0) return [];
    const of = (state: Outcome["state"]) => list.filter((each) => each.state === state).length;
    return [row(name, of("imported"), of("present"), of("left"))];
  };
  const { inferences, agreement } = report;
  const left = [report.files, report.jobs, report.aliases, report.evals].flat().filter(({ state }) => state === "left");
  const whys = left.map(({ of, note }) => ({ place: of, message: note ?? "" }));
  const problems = [...whys, ...report.problems];
  return [
    row("", "imported", "present", "left"),
    ...counted("files", report.files),
    ...counted("jobs", report.jobs),
    ...counted("names", report.aliases),
    ...counted("evals", report.evals),
    row("inferences", inferences.imported, inferences.present, 0),
    ...agreement.flatMap(({ old, model, kappa, ...agreed }) => [
      "",
      `${old} -> ${model}`,
      `  the same answer: ${shareOf(agreed)}${kappa === null ? "" : `, kappa ${kappa.toFixed(3)}`}`,
      ...(agreed.unlearned ? [`  of texts not learned from: ${shareOf(agreed.unlearned)}`] : []),
    ]),
    ...(problems.length ? ["", `Left out (${problems.length}):`] : []),
    ...problems.slice(0, mostPairs).map(({ place, message }) => `  ${place}: ${message}`),
    ...(problems.length > mostPairs ? [`  and ${problems.length - mostPairs} more, see the report`] : []),
  ].join("\n");
}

function row(name: string, ...cells: (string | number)[]): string {
  return name.padEnd(12) + cells.map((each) => String(each).padStart(10)).join("");
}
