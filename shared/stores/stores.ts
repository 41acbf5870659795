/** All stores over one table and one bucket. */
import type { AwsClients } from "../aws.ts";
import { type Aliases, createAliases } from "./aliases.ts";
import { type Answers, createAnswers } from "./answers.ts";
import { type Bases, createBases } from "./bases.ts";
import { type Batches, createBatches } from "./batches.ts";
import { type Checkpoints, createCheckpoints } from "./checkpoints.ts";
import { type Claims, createClaims } from "./claims.ts";
import { createEvents, type Events } from "./events.ts";
import { createFiles, type Files } from "./files.ts";
import { createInferences, type Inferences } from "./inferences.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import { createModels, type Models } from "./models.ts";
import { createObjects, type Objects } from "./objects.ts";
import { createProjects, type Projects } from "./projects.ts";
import { createStoredCompletions, type StoredCompletions } from "./storedCompletions.ts";
import { createTable } from "./table.ts";

export interface Stores {
  projects: Projects;
  files: Files;
  jobs: Jobs;
  batches: Batches;
  answers: Answers;
  inferences: Inferences;
  events: Events;
  checkpoints: Checkpoints;
  models: Models;
  aliases: Aliases;
  bases: Bases;
  objects: Objects;
  claims: Claims;
  storedCompletions: StoredCompletions;
}

export function createStores(aws: AwsClients, names: { table: string; bucket: string }): Stores {
  const table = createTable(aws.dynamodb, names.table);
  const objects = createObjects(aws.s3, names.bucket);
  return {
    projects: createProjects(table),
    files: createFiles(table),
    jobs: createJobs(table),
    batches: createBatches(table),
    answers: createAnswers(table),
    inferences: createInferences(table, objects),
    events: createEvents(table),
    checkpoints: createCheckpoints(table),
    models: createModels(table),
    aliases: createAliases(table),
    bases: createBases(table),
    objects,
    claims: createClaims(table),
    storedCompletions: createStoredCompletions(table, objects),
  };
}
