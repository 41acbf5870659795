/** What a race found out, as files to read: a document, the same as JSON, and the rows whose labels are doubtful. */
import type { CandidateReport, ClassReport, RaceReport, Suspect } from "../../../shared/engine/race/report.ts";
import { type Amount, amountOf, nanosOf } from "../../../shared/pricing/prices.ts";
import type { FileRecord } from "../../../shared/schemas/file.ts";
import type { Attempt } from "./attempt.ts";
import { storeJsonResult, storeResult } from "./results.ts";

/** By the time that the run took, as a job is charged for it. */
type Priced<Run> = Run & { cost: Amount };

interface PricedReport extends RaceReport {
  candidates: Priced<CandidateReport>[];
  heats: Priced<RaceReport["heats"][number]>[];
}

export async function raceFiles(attempt: Attempt, report: RaceReport): Promise<FileRecord[]> {
  const priced = withCosts(attempt, report);
  return [
    await storeResult(attempt, "auto_report.md", raceDocument(priced), "text/markdown"),
    await storeJsonResult(attempt, "auto_report.json", priced),
    await storeResult(attempt, "label_suspects.csv", suspectsCsv(report.suspects), "text/csv"),
  ];
}

function withCosts({ context, job }: Attempt, report: RaceReport): PricedReport {
  const { prices } = context.config;
  const priced = <Run extends { seconds: number }>(run: Run): Priced<Run> => {
    const work = { kind: "fine_tuning", model: job.model, milliseconds: run.seconds * 1000 } as const;
    return { ...run, cost: amountOf(prices, nanosOf(prices, work)) };
  };
  return { ...report, candidates: report.candidates.map(priced), heats: report.heats.map(priced) };
}

const told = ({ value, currency }: Amount) => `${value.toFixed(4)} ${currency.toUpperCase()}`;
const percent = (share: number | null) => (share === null ? "" : `${(100 * share).toFixed(1)} %`);

function raceDocument(report: PricedReport): string {
  const { winner, why, rows, judged, folds } = report;
  const sections = [
    `# The model that was chosen: ${winner}\n\n${why}`,
    `Compared over ${rows} rows in ${folds} folds: each was judged by rows that it had not learned from, all by the same ${judged}. The winner then learned from all rows.`,
    `## Candidates\n\n${candidateTable(report.candidates)}`,
    heatsOf(report),
    `## Labels\n\n${notesOf(report).join("\n")}\n\n${classTable(report.classes)}`,
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

function candidateTable(candidates: PricedReport["candidates"]): string {
  return table(
    ["candidate", "right", "95 % interval", "macro-F1", "nats a row", "seconds", "cost", "steps", "what it is"],
    candidates.map(({ name, what, accuracy, interval, macroF1, loss, seconds, cost, steps }) => [
      name,
      percent(accuracy),
      `${percent(interval.low)} to ${percent(interval.high)}`,
      percent(macroF1),
      loss.toFixed(3),
      seconds.toFixed(1),
      told(cost),
      String(steps),
      what.join("; and "),
    ]),
  );
}

function heatsOf({ heats }: PricedReport): string {
  if (!heats.length) return "";
  const rows = heats.map(({ name, accuracy, loss, seconds, cost }) => [
    name,
    percent(accuracy),
    loss.toFixed(3),
    seconds.toFixed(1),
    told(cost),
  ]);
  const header = ["method", "right, with n-grams", "nats a row", "seconds", "cost"];
  const why =
    "What tunes a base is expensive: only the best on a part of the way went on; the second, too, where the best then was no better than the base as it is.";
  return `### Heats\n\n${why}\n\n${table(header, rows)}`;
}

function notesOf({ imbalance, balance, outOfScope, suspects, noise }: RaceReport): string[] {
  const held =
    balance === null ? "nothing is held back" : `frequent labels are held back by ${balance.toFixed(2)} of their lead`;
  const notes = [
    `- The most frequent label has ${imbalance.toFixed(1)} times the rows of the rarest: ${held}.`,
    `- ${suspects.length} labels are probably wrong (\`label_suspects.csv\`); an estimated ${percent(noise)} of all are.`,
  ];
  if (!outOfScope) return notes;
  const { label, before, after } = outOfScope;
  const shares = ({ recall, inScopeAccuracy }: typeof before) =>
    `${percent(recall)} of its rows found and ${percent(inScopeAccuracy)} of the others right`;
  return [
    ...notes,
    `- \`${label}\` stands for none of the others: ${shares(after)}; as a label like any other, ${shares(before)}.`,
  ];
}

function classTable(classes: readonly ClassReport[]): string {
  return table(
    ["label", "judged rows", "precision", "recall", "F1"],
    classes.map(({ label, rows, precision, recall, f1 }) => [
      label,
      String(rows),
      percent(precision),
      percent(recall),
      percent(f1),
    ]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function suspectsCsv(suspects: readonly Suspect[]): string {
  const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = suspects.map(({ line, given, suggested, quality }) => {
    return [line, cell(given), cell(suggested), quality.toFixed(4)].join(",");
  });
  return `${["line,given_label,suggested_label,quality", ...rows].join("\n")}\n`;
}
