/** Messages that quote a stranger's file, whose names may be of any length: cut, so that they fill nobody's log. */

const most = 1000;

export function shortened(message: string): string {
  return message.length > most ? `${message.slice(0, most)}…`.toWellFormed() : message;
}
