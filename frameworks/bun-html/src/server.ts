import { greet } from "@acme/greeting";
import page from "./index.html";

Bun.serve({
  port: Number(process.env.PORT ?? 3000),
  hostname: process.env.HOST ?? "127.0.0.1",
  routes: { "/": page, "/api": () => new Response(greet("bun-html")) },
});
