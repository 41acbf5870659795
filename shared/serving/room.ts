/** Room for so many at once: whoever comes when it is full is told to come again. */
import { ApiError } from "../errors.ts";

export interface Room {
  /** Throws ApiError `queue_full` where there is no place. */
  require(): void;
  /** Takes a place, and returns what gives it back. */
  enter(): () => void;
}

export function createRoom(places: number): Room {
  let taken = 0;
  return {
    require() {
      if (taken >= places) throw queueFull();
    },
    enter() {
      taken++;
      return () => void taken--;
    },
  };
}

export function queueFull(): ApiError {
  return new ApiError("queue_full", "Too many requests wait for a model just now; try again in a moment.");
}
