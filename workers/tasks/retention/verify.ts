/** Run as a program: `node workers/tasks/retention/verify.ts <project>` tells what is overdue and which objects no row names; 1 where there is any. */
import { createAwsClients } from "../../../shared/aws.ts";
import { parseConfig } from "../../../shared/config.ts";
import { findOverdue } from "../../../shared/retention/sweep.ts";
import { verifyObjects } from "../../../shared/retention/verify.ts";
import { createStores } from "../../../shared/stores/stores.ts";

const [, , project = ""] = process.argv;
const stores = createStores(createAwsClients(), parseConfig(process.env));
const record = await stores.retentions.get(project);
const overdue = record ? await findOverdue(stores, record) : [];
const { rows, objects, orphans } = await verifyObjects(stores, project);
console.log(JSON.stringify({ project, rows, objects, overdue, orphans }, null, 2));
process.exitCode = overdue.length + orphans.length > 0 ? 1 : 0;
