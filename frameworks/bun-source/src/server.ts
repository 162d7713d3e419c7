import { greet } from "@acme/greeting";
import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.text(greet("bun-source")));
export default { port: Number(process.env.PORT ?? 3000), hostname: process.env.HOST ?? "127.0.0.1", fetch: app.fetch };
