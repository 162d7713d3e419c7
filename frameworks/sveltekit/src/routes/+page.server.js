import { greet } from "@acme/greeting";

export function load() {
  return { text: greet("sveltekit") };
}
