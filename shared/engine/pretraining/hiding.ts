/** Which tokens a model is asked for, and what it sees in their place: a pure function of seed, step and text. */
import { mixSeeds } from "../random.ts";
import { combine, mix } from "../text/hashing.ts";

/** Of the tokens that are hidden: most show the mask, some another token, and some stay (Devlin et al. 2019, 3.1). */
const share = { hidden: 0.15, masked: 0.8, replaced: 0.1 };

export interface AskedTokens {
  /** What the model sees, row by row, special tokens included. */
  readonly rows: readonly Int32Array[];
  /** Place of each token asked for in the batch, all of its rows padded to the longest and laid end to end. */
  readonly places: Int32Array;
  /** The tokens asked for. */
  readonly targets: Int32Array;
}

export interface HidingOptions {
  readonly mask: number;
  /** Special tokens are neither hidden nor shown in the place of others. */
  readonly isSpecial: (id: number) => boolean;
  readonly vocabulary: number;
  readonly seed: number;
  readonly step: number;
}

/** At least one token is hidden where any row has one that may be. */
export function hideTokens(texts: readonly Int32Array[], options: HidingOptions): AskedTokens {
  const { mask, isSpecial, vocabulary, seed, step } = options;
  const salt = mixSeeds(seed, step, 0x6869);
  const width = longestOf(texts);
  const [places, targets]: [number[], number[]] = [[], []];
  const draw = (place: number, purpose: number) => mix(combine(combine(salt, place), purpose)) / 2 ** 32;
  const seenAt = (place: number, id: number) => {
    const kind = draw(place, 1);
    if (kind < share.masked) return mask;
    if (kind >= share.masked + share.replaced) return id;
    const other = Math.floor(draw(place, 2) * vocabulary);
    return isSpecial(other) ? mask : other;
  };
  const hide = (all: boolean) =>
    texts.map((text, row) =>
      text.map((id, column) => {
        const place = row * width + column;
        if (isSpecial(id) || (all ? places.length > 0 : draw(place, 0) >= share.hidden)) return id;
        places.push(place);
        targets.push(id);
        return seenAt(place, id);
      }),
    );
  const hidden = hide(false);
  // Few short texts may have drawn nothing: then the first token is asked for.
  const rows = places.length > 0 ? hidden : hide(true);
  return { rows, places: Int32Array.from(places), targets: Int32Array.from(targets) };
}

/** Every token but a row's first is asked for, where the one before it stands. */
export function nextTokens(texts: readonly Int32Array[]): AskedTokens {
  const width = longestOf(texts);
  const each = texts.map((text, row) =>
    Int32Array.from({ length: text.length - 1 }, (_, column) => row * width + column),
  );
  return {
    rows: texts,
    places: Int32Array.from(each.flatMap((places) => [...places])),
    targets: Int32Array.from(texts.flatMap((text) => [...text.subarray(1)])),
  };
}

function longestOf(texts: readonly Int32Array[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 1);
}
