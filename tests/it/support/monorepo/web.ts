import { render } from "@acme/ui";
import cataloged from "cataloged";
import plugin from "plugin";
import renamed from "renamed";

render(`web: ${cataloged}, ${plugin}, ${renamed}`);
