/** What a task is: the code for one kind of message, with a closed set of outcomes. */
import type { Message, MessageKind } from "../shared/messages.ts";

export type Outcome =
  /** Nothing is left to do for this message. */
  | { type: "done" }
  /** Deliver it again after so many seconds. */
  | { type: "retry"; seconds: number }
  /** Tried too often: park it where an operator finds it. */
  | { type: "buried"; cause: string };

/** `shutdown` fires when the worker must go: put the work down so that another can take it up. */
export type Task = (message: Message, shutdown: AbortSignal) => Promise<Outcome>;

export type Tasks = Record<MessageKind, Task>;

/** A failure that trying again cannot mend; it becomes the job's `error`. */
export class PermanentFailure extends Error {
  readonly code: string;
  readonly param: string | null;

  constructor(code: string, message: string, param: string | null = null) {
    super(message);
    this.name = "PermanentFailure";
    this.code = code;
    this.param = param;
  }
}
