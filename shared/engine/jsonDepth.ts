/** How deep JSON is nested, told before it is parsed: what then walks it by recursion would run out of stack. */

const [quote, backslash, openList, closeList, openObject, closeObject] = [...'"\\[]{}'].map((it) => it.charCodeAt(0));

/** Whether lists and objects lie in each other more than `most` deep. `json` is UTF-8; what is no JSON is not told of. */
export function isNestedDeeper(json: Uint8Array, most: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (inText) {
      if (byte === backslash) at++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openList || byte === openObject) {
      if (++depth > most) return true;
    } else if (byte === closeList || byte === closeObject) depth--;
  }
  return false;
}
