/** Names of people's choosing by which things are kept in an object: not those that every object has of itself. */

export function isOwnName(name: string): boolean {
  return !(name in Object.prototype);
}

export const notOwnName = "not a name that every object has, such as `constructor`";
