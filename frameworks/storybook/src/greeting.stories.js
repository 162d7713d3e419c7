import { greet } from "@acme/greeting";

export default { title: "Greeting" };

export const Hello = () => `<p>${greet("storybook")}</p>`;
