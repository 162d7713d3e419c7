import { greet } from "@acme/greeting";
import { useLoaderData } from "react-router";

export function loader() {
  return { text: greet("react-router") };
}

export default function Home() {
  const { text } = useLoaderData<typeof loader>();
  return <p>{text}</p>;
}
