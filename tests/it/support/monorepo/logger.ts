import colour from "colour";
import oldLibrary from "old-library";

export function log(line: string): void {
  console.log(`[${colour}, ${oldLibrary}] ${line}`);
}
