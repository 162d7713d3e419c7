import { greet } from "@acme/greeting";

export const dynamic = "force-dynamic";

export default function Page() {
  return <p>{greet("next")}</p>;
}
