/** Errors as each service puts them on the wire. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Service } from "./faults.ts";

interface Refusal {
  status: number;
  code: string;
}

interface Wire {
  failures: readonly Refusal[];
  throttles: readonly Refusal[];
  write(response: ServerResponse, refusal: Refusal): void;
}

const json =
  (namespace: string) =>
  (response: ServerResponse, { status, code }: Refusal) => {
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": randomUUID() };
    response.writeHead(status, headers).end(JSON.stringify({ __type: `${namespace}#${code}`, message: code }));
  };

function xml(response: ServerResponse, { status, code }: Refusal): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "x-amz-request-id": randomUUID() }).end(body);
}

const wires: Record<Service, Wire> = {
  dynamodb: {
    failures: [
      { status: 500, code: "InternalServerError" },
      { status: 503, code: "ServiceUnavailable" },
    ],
    throttles: [
      { status: 400, code: "ProvisionedThroughputExceededException" },
      { status: 400, code: "ThrottlingException" },
    ],
    write: json("com.amazonaws.dynamodb.v20120810"),
  },
  sqs: {
    failures: [
      { status: 500, code: "InternalFailure" },
      { status: 503, code: "ServiceUnavailable" },
    ],
    throttles: [
      { status: 400, code: "ThrottlingException" },
      { status: 403, code: "RequestThrottled" },
    ],
    write: json("com.amazonaws.sqs"),
  },
  s3: {
    failures: [
      { status: 500, code: "InternalError" },
      { status: 503, code: "ServiceUnavailable" },
    ],
    throttles: [{ status: 503, code: "SlowDown" }],
    write: xml,
  },
};

/** `measure`, from 0 to less than 1, chooses among the service's errors of that kind. */
export function refuse(
  response: ServerResponse,
  service: Service,
  kind: "failures" | "throttles",
  measure: number,
): void {
  const { write, [kind]: refusals } = wires[service];
  write(response, refusals[Math.floor(measure * refusals.length)]!);
}
