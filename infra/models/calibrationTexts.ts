/** Texts to compare precisions by where an operator gives none: everyday matters, each said in several ways. */

const matters = [
  "a lost credit card",
  "the delayed train to Madrid",
  "my grandmother's recipe for soup",
  "the new edition of the dictionary",
  "a broken washing machine",
  "the football match on Sunday",
  "an appointment with the dentist",
  "the price of electricity",
  "a trip to the mountains",
  "the results of the blood test",
  "a contract for the apartment",
  "the history of the old bridge",
  "an update of the software",
  "the weather at the coast",
  "a loan for a small business",
  "the birthday of my sister",
  "a complaint about the noise",
  "the election in the capital",
  "a parcel that never arrived",
  "the planets around distant stars",
  "a course in oil painting",
  "the password of my account",
  "an accident on the motorway",
  "the vaccination of children",
  "a cheap flight to Toronto",
  "the strike at the harbour",
  "a refund for two tickets",
  "the proof of a theorem",
];

const sayings = [
  (matter: string) => `I would like to know more about ${matter}.`,
  (matter: string) => `Could somebody please help me with ${matter}?`,
  (matter: string) => `Yesterday we talked for hours about ${matter}, and nobody agreed.`,
  (matter: string) => `${matter[0]!.toUpperCase()}${matter.slice(1)} was not what I had expected.`,
  (matter: string) => `Why does everyone worry about ${matter}?`,
  (matter: string) => `The report on ${matter} fills twelve pages, most of which are tables.`,
  (matter: string) => `${matter}`,
  (matter: string) => `Thanks a lot! With ${matter} everything is settled now.`,
];

export const calibrationTexts: readonly string[] = sayings.flatMap((say) => matters.map(say));
