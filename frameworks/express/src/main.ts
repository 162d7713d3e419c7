import { greet } from "@acme/greeting";
import express from "express";

const app = express();
app.get("/", (_request, response) => {
  response.send(greet("express"));
});
app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? "127.0.0.1");
