import { createServer } from "node:http";

import { title } from "@acme/shared-ui";

createServer((_request, response) => response.end(`${title} of admin`)).listen(Number(process.env.PORT));
