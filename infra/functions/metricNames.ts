/** Metrics of the scheduled sweep, as those who write and those who read them call them; `shared/telemetry` has all others. */

/** Each with the dimensions by which it is told apart. */
export const sweepMetrics = {
  /** Rows that wanted a worker and had no message; rows apart that ask to be looked at again and again. */
  RowsWithoutMessage: ["service"],
  /** Rows that want a worker now, such as `fine_tuning_job`s that are `running`. */
  Rows: ["service", "kind", "state"],
} as const;

/** Of the dimension `service`. */
export const sweepService = "sweep";
