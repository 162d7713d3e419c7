import { greet } from "@acme/greeting";
import { createFileRoute } from "@tanstack/react-router";

export const Route = createFileRoute("/")({ component: Home });

function Home() {
  return <p>{greet("tanstack-start")}</p>;
}
