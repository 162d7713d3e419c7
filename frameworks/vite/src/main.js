import { greet } from "@acme/greeting";

document.querySelector("#app").textContent = greet("vite");
