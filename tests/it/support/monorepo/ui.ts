import { log } from "@acme/logger";
import util from "@scope/util";
import candidate from "release-candidate";

export function render(title: string): void {
  log(`${title}: ${util}, ${candidate}`);
}
