/** A process that prepares one file and prints what came out and its own peak memory: `<file> <directory>`. */
import { prepareOnThread } from "../../shared/data/prepare.ts";

const [path = "", directory = ""] = process.argv.slice(2);
const training = { path, filename: path };
const dataset = await prepareOnThread({ training, directory, seed: 1, holdOut: { share: 0.1, most: 2000 } });
const { trainRows, validRows } = dataset;
const { warningCount: warnings, errorCount: errors } = dataset.training;
const peakMegabytes = process.resourceUsage().maxRSS / 1000;
console.log(JSON.stringify({ rows: trainRows + validRows, warnings, errors, peakMegabytes }));
