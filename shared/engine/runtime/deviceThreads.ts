/** How many threads the sessions of this device process use. */
let told = 2;

export function useThreads(threads: number): void {
  told = threads;
}

export function deviceThreads(): number {
  return told;
}
