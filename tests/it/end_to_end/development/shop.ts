// Says what its database has, how often it was asked, and which program runs it.
import { RedisClient, SQL } from "bun";

const { DATABASE_URL = "", REDIS_URL = "", PORT = "3000" } = process.env;

async function answer() {
  const sql = new SQL(DATABASE_URL);
  const [row] = await sql`SELECT name FROM goods`;
  const visits = await new RedisClient(REDIS_URL).incr("visits");
  return new Response(`${row.name} ${visits} ${process.execPath}`);
}

Bun.serve({
  port: Number(PORT),
  error: (error) => new Response(`${error.message}: ${DATABASE_URL}, ${REDIS_URL}`, { status: 500 }),
  fetch: (request) => (new URL(request.url).pathname === "/health" ? new Response("well") : answer()),
});
