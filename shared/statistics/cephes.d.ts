/** Types of what is used of cephes, whose own are found only by `require`. */
declare module "cephes" {
  export const compiled: Promise<void>;
  export function ndtr(x: number): number;
  export function ndtri(p: number): number;
  export function chdtrc(degrees: number, x: number): number;
  export function incbet(a: number, b: number, x: number): number;
  export function incbi(a: number, b: number, p: number): number;
  export function bdtr(successes: number, trials: number, p: number): number;
  export function lgam(x: number): number;
  export function kolmogorov(x: number): number;
}
