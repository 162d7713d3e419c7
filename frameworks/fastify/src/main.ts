import { greet } from "@acme/greeting";
import fastify from "fastify";

const server = fastify();
server.get("/", async () => ({ text: greet("fastify") }));
await server.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? "127.0.0.1" });
