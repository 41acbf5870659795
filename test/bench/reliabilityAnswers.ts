/** Asking a project's models, and saying how good their answers were. */
import type { Action, Session } from "./reliabilitySession.ts";
import { labelsOf, pickFrom } from "./reliabilitySession.ts";

const text = (session: Session) =>
  `My ${pickFrom(session, ["invoice", "parcel", "password"])} is wrong, ${session.made++}`;
const hasModel = ({ models }: Session) => models.length > 0;
/** A model, or the alias that stands for one. */
const asked = (session: Session) => (session.random() < 0.3 ? "alias:prod" : pickFrom(session, session.models));

function check(session: Session, label: string | null | undefined, where: string): void {
  if (!labelsOf(session).includes(label ?? ""))
    session.ledger.wrong.push(`${where} of ${session.marker} said ${label}`);
}

/** Feedback on what has been read must find it. */
function judge(session: Session, id: string | null): void {
  if (session.isRecorded && id !== null) session.judged.push(id);
}

export const answerActions: Record<string, Action> = {
  chat: {
    weight: 14,
    isPossible: hasModel,
    async run(session) {
      const messages = [{ role: "user" as const, content: text(session) }];
      const asking = session.client.chat.completions.create({ model: asked(session), messages });
      const { data, request_id } = await asking.withResponse();
      check(session, data.choices[0]?.message.content, "chat");
      judge(session, request_id);
    },
  },
  chatStream: {
    weight: 3,
    isPossible: hasModel,
    async run(session) {
      const messages = [{ role: "user" as const, content: text(session) }];
      const model = asked(session);
      const stream = await session.client.chat.completions.create({ model, messages, stream: true });
      let said = "";
      for await (const { choices } of stream) said += choices[0]?.delta.content ?? "";
      check(session, said, "chat stream");
    },
  },
  decide: {
    weight: 14,
    isPossible: hasModel,
    async run(session) {
      const choices = labelsOf(session).map((value) => ({ value }));
      const questions = [{ type: "choice" as const, instructions: "Which?", choices }];
      const asking = session.client.decisions.create({ model: asked(session), input: text(session), questions });
      const { data, request_id } = await asking.withResponse();
      const [answer] = data.answers;
      check(session, answer?.type === "choice" ? String(answer.choice) : answer?.type, "decision");
      judge(session, request_id);
    },
  },
  embed: {
    weight: 5,
    async run(session) {
      const input = [text(session), text(session)];
      const { data } = await session.client.embeddings.create({ model: "tiny", input, encoding_format: "float" });
      if (data.length !== 2 || !data.every(({ embedding }) => embedding.length === 32))
        session.ledger.wrong.push(`embeddings of ${session.marker} have ${data.length} vectors`);
    },
  },
  feedback: {
    weight: 7,
    makes: "feedback",
    isPossible: ({ judged }) => judged.length > 0,
    async run(session) {
      const inference_id = pickFrom(session, session.judged);
      const value = session.random() < 0.5;
      const body = { inference_id, metric_name: "solved", value };
      const made = await session.client.post<{ id: string }>("/feedback", { body });
      session.ledger.add("feedback", session, made.id, { inference_id, value });
    },
  },
};
