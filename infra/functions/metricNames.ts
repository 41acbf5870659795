/** Metrics of ours, as those who write and those who read them call them. */
/** Rows that wanted a worker and had no message. */
export const unsentMetric = "RowsWithoutMessage";
