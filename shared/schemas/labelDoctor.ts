/** Reports of the label doctor: which labels of a dataset version are probably wrong. */
import { z } from "@hono/zod-openapi";
import { builtByWorkers, builtFields } from "./built.ts";
import { Payload } from "./payload.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });

const Suspect = z.object({
  row: described(z.string(), "The row's id, the same in every version."),
  line: described(z.int(), "Its line in the version's content, from 1."),
  text: described(z.string(), "Its text, the first 300 characters."),
  given: described(z.string(), "The label it has."),
  suggested: described(z.string(), "The label that the other rows say."),
  given_probability: described(z.number(), "Of the given label, by the other rows."),
  suggested_probability: described(z.number(), "Of the suggested label."),
  doubt: described(
    z.number(),
    "What the order is by: the logarithm of the suggested label's probability by the given one's.",
  ),
});

/** What it found. */
export const Diagnosis = z.object({
  rows: described(z.int(), "Rows looked at: of all splits."),
  suspected: described(z.int(), "Rows whose label is probably wrong."),
  noise: described(z.number(), "The estimated share of wrong labels."),
  agreement: described(z.number(), "The share of rows that the others give their own label."),
  suspects: described(z.array(Suspect), "The surest first, the first thousand."),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

const fields = {
  id: described(z.string(), "`ldr_…`"),
  object: described(z.literal("label_doctor.report"), "Always `label_doctor.report`."),
  dataset: described(z.string(), "The dataset's name."),
  version: described(z.int(), "The version's number."),
  ...builtFields,
};

export const LabelDoctorReport = z
  .object({ ...fields, result: described(Diagnosis.nullable(), "Null before it is ready.") })
  .openapi("LabelDoctorReport");
export type LabelDoctorReport = z.infer<typeof LabelDoctorReport>;

/** The row. */
export const LabelDoctorRecord = z.object({ ...fields, ...builtByWorkers, result: Payload.nullable() });
export type LabelDoctorRecord = z.infer<typeof LabelDoctorRecord>;
