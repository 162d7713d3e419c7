import ms from "ms";

/** The text that each app answers with. It needs a package of the registry at run time. */
export function greet(name: string): string {
  return `Hello from ${name}, after ${ms(60_000, { long: true })}`;
}
