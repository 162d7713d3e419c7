import { defineConfig } from "tsup";

// tsup leaves `dependencies` out of the bundle: the server needs them at run time.
export default defineConfig({ entry: ["src/main.ts"], format: ["esm"], sourcemap: true });
