/** What a benchmark measured, beside what it is measured against. */

export interface Result {
  suite: string;
  case: string;
  value: number;
  unit:
    | "percent"
    | "dollars"
    | "hours"
    | "seconds"
    | "milliseconds"
    | "per second"
    | "mebibytes"
    | "exponent"
    | "count";
  /** In the same unit; null: nothing to compare with. */
  baseline: number | null;
  /** `value` by `baseline`. */
  ratio: number | null;
  /** What `baseline` is. */
  baseline_source: string;
}

export type Measured = Omit<Result, "ratio">;

/** Three decimals are more than any of these repeats to. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

export function toResult({ suite, case: name, value, unit, baseline, baseline_source }: Measured): Result {
  return {
    suite,
    case: name,
    value: rounded(value),
    unit,
    baseline: baseline === null ? null : rounded(baseline),
    ratio: baseline === null ? null : rounded(value / baseline),
    baseline_source,
  };
}

export function tableLine({ suite, case: name, value, unit, baseline, ratio, baseline_source }: Result): string {
  const compared = baseline === null ? "" : `  ${baseline} ${baseline_source}, ratio ${ratio}`;
  return `${`${suite}/${name}`.padEnd(36)}${String(value).padStart(10)} ${unit.padEnd(13)}${compared}`;
}
