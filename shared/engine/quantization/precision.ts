/** In how many bits a base's frozen matrices are served. */
export const precisions = ["float32", "int8", "int4"] as const;
export type Precision = (typeof precisions)[number];
