import { log } from "@acme/logger";
import cataloged from "cataloged";
import native from "native";

log(`api: ${cataloged}, ${native}`);
