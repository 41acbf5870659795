/** The life of a row that workers work on: which state may follow which, as data. */

export interface Life<State extends string> {
  states: readonly State[];
  /** States in which a worker should be busy with the row, or soon will be. */
  working: readonly State[];
  /** The states from which `to` may be reached. */
  before(to: State): State[];
  /** Nothing follows it. */
  isFinal(state: State): boolean;
}

export function lifeOf<State extends string>(
  successors: Record<State, readonly State[]>,
  working: readonly State[],
): Life<State> {
  const states = Object.keys(successors) as State[];
  return {
    states,
    working,
    before: (to) => states.filter((state) => successors[state].includes(to)),
    isFinal: (state) => successors[state].length === 0,
  };
}
